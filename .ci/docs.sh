# The examples of docs/api are run against the program. Sourced by .ci/run, after .ci/machine.sh.

docs_are_true() (
    root=$PWD
    python_environment docs .ci/docs/requirements.txt
    start_program WEBHOOK_ALLOW_PRIVATE=true
    mkdir "$moment/examples"
    cp .ci/docs/package.json .ci/docs/package-lock.json .ci/docs/.npmrc "$moment/examples"
    npm --prefix "$moment/examples" ci --ignore-scripts --silent

    # A check that cannot fail is worth nothing: it refuses what is not printed, and what fails.
    cd "$moment/examples"
    export API=$address PATH=$tools/docs/bin:$PATH PIP_DISABLE_PIP_VERSION_CHECK=1 npm_config_loglevel=error
    for wrong in 'echo one\n```\n\n```text\ntwo' 'curl -sf "$API/nothing"\n```\n\n```text\n' 'echo one\nexit 0'; do
        printf '```sh\n'"$wrong"'\n```\n' >wrong.md
        if python3 "$root/.ci/docs.py" wrong.md >/dev/null 2>&1; then
            fail "The check of the documentation passes this: $wrong"
        fi
    done
    python3 "$root/.ci/docs.py" "$root"/docs/api/*.md
)
