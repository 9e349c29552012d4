# The example of a partner's program, at work and killed. Sourced by .ci/run, after .ci/machine.sh.

partner_keeps_up() (
    python_environment partner examples/partner/requirements.txt
    # What failed once is sent again soon.
    start_program WEBHOOK_ALLOW_PRIVATE=true WEBHOOK_PAUSE_MS=200
    PYTHONDONTWRITEBYTECODE=1 "$tools/partner/bin/python" tests/partner/life.py "$address" "$moment"
)
