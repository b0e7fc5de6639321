"""Runs a program at a terminal of its own: types each line when its question is shown (keys such as \\x03 for
Ctrl-C among them), and prints what was to be seen.

    python3 terminal.py QUESTION ANSWER [QUESTION ANSWER …] -- PROGRAM ARGUMENT…
"""
import os
import pty
import re
import sys

split = sys.argv.index('--')
dialogue = list(zip(sys.argv[1:split:2], sys.argv[2:split:2]))
program = sys.argv[split + 1:]

pid, terminal = pty.fork()
if pid == 0:
    os.execvp(program[0], program)

seen = b''
read_until = 0
while True:
    try:
        more = os.read(terminal, 4096)
    except OSError:  # what Linux says when the other side is gone
        break
    if not more:
        break
    seen += more
    if dialogue and dialogue[0][0].encode() in seen[read_until:]:
        read_until = len(seen)
        os.write(terminal, re.sub(r'\\x([0-9a-f]{2})', lambda key: chr(int(key[1], 16)), dialogue.pop(0)[1]).encode())

_, status = os.waitpid(pid, 0)
sys.stdout.buffer.write(seen)
sys.exit(os.waitstatus_to_exitcode(status))
