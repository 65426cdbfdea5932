/* libc: the yardstick of a start: a program that needs libc and does nothing.
 */
int
main(void)
{
	return 0;
}
