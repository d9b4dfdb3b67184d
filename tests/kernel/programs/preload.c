/* A library that ends whoever loads it with 20. */
#include <unistd.h>

__attribute__((constructor)) static void loaded(void)
{
	_exit(20);
}
