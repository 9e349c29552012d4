# The national files are valid for the national validator (validata-core). Sourced by .ci/run, after .ci/machine.sh.

national_files_are_valid() (
    root=$PWD
    python_environment scdl .ci/scdl/requirements.txt
    start_program
    "$tools/scdl/bin/python" -W ignore "$root/.ci/scdl.py" "$address" "$moment" "$root/data/scdl"
)
