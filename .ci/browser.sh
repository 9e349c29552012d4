# What a browser sees: Swagger UI and the front end. Sourced by .ci/run, after .ci/machine.sh.

# Pictures are left in target/browser/.
browser_sees_it() (
    npm --prefix tests/browser ci --ignore-scripts --silent
    start_program
    # One file at a time: they count what the program answers.
    CHROMIUM=$(browser) FIFTY_FIFTY=$address \
        node --test --test-concurrency=1 --test-reporter=spec tests/browser/*.test.mjs
    ls target/browser
)
