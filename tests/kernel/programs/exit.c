/* Ends with the status that it was built with: 10 for a program that may run, 20 for one that may not. */
int main(void)
{
	return STATUS;
}
