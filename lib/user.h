/*
 * user: who runs this.
 */
#ifndef TERA_USER_H
#define TERA_USER_H

/* $USER, else $LOGNAME, else the name in /etc/passwd, else "uid N".  Static;
 * the same for as long as we run. */
const char *user_name(void);

#endif
