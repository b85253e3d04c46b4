"""Measures the gateway against DESIGN 9, next to a bare proxy on the same machine in the same run.

`python -m bench` runs everything; `--quick` is a smoke test of seconds; `--only NAME` runs one scenario;
`--self-check` puts a second bare proxy in the gateway's place, so every ratio must come out near 1.
Linux only: processor time and memory are read from /proc.
"""
