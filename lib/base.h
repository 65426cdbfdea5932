/*
 * base: the commands of the base link group are one program.
 *
 * Each is a hard link to it and does what its name says.  So two dozen
 * commands are 2 MB on the disk and in memory, not 60; what one has read in
 * starts the others; and the coordinator's three processes share their text.
 * The Makefile compiles each command's main as NAME_main and writes the list,
 * commands.h.
 */
#ifndef TERA_BASE_H
#define TERA_BASE_H

#define COMMAND(name, text) int name##_main(int argc, char *argv[]);
#include "commands.h"
#undef COMMAND

#endif
