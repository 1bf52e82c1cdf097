/* The end of every test program's main. */
#pragma once

#include <check.h>
#include <stdlib.h>

/* Runs the cases as a suite of that name, which frees them: each test in a process of its own and as loud as
 * usual, unless check's environment (CK_FORK, CK_VERBOSITY) says otherwise. Returns main's status. */
static inline int suite_run(const char *name, TCase *cases)
{
    Suite *suite = suite_create(name);
    SRunner *runner;

    suite_add_tcase(suite, cases);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
