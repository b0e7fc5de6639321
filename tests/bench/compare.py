#!/usr/bin/env python3
"""Measures Parley beside ejabberd and Prosody, in alternating runs of the same load.

    npm run bench:compare -- [--tests w1,w16,...] [--reps 3] [--secs 3] [--keyspace embedded|redis]

starts all servers on loopback, creates the accounts, runs each test `reps` times on each server in turn, and prints
two Markdown tables: the median server CPU per operation, and KiB of memory per idle connection, with the least value
in brackets: anonymous memory, and RSS. (PSS is no measure here: it changes when another process maps the same program.) Before a test of idle connections every server is restarted. --json FILE keeps every run.

In the tests fast2 and fast3 the server under test logs users in by tokens (XEP-0484, HT-SHA-256-EXPR, with SASL2 and Bind 2),
the others, which have none, by SCRAM as in login2 and login3; connect2 and connect3 do the same without a login, so that the
difference is the login alone.

Another server: --target PORT --pids PID[,PID...] for one that runs already (it cannot be restarted, so no idle tests),
or --target-command CMD for one to start: CMD gets {port} and {data} put in, prints {"ports": [...], "pids": [...]} as
one line of JSON when it listens, and ends on SIGTERM. It has the domain localhost, in-band registration open, no limits of rate,
and SCRAM-SHA-1 or PLAIN without TLS. The pids are ALL its processes (Redis too): their CPU time and memory is compared.

Needs root and Debian's ejabberd, prosody, gcc, make, libssl-dev, openssl.
"""
import argparse
import atexit
import json
import os
import pathlib
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
TESTS = {  # name: (xload's mode and options, what it is)
    'w1': ('chat -n 200 -W 1', 'chat, one outstanding message per pair'),
    'w16': ('chat -n 200 -W 16', 'chat, 16 outstanding'),
    'w1tls': ('chat -n 200 -W 1 --tls starttls', 'chat, one outstanding, TLS'),
    'w16tls': ('chat -n 200 -W 16 --tls starttls', 'chat, 16 outstanding, TLS'),
    'w1sm': ('chat -n 200 -W 1 --sm', 'chat, one outstanding, XEP-0198'),
    'w16sm': ('chat -n 200 -W 16 --sm --sm-every 5', 'chat, 16 outstanding, XEP-0198'),
    'open2000': ('chat -n 200 -R 2000', 'chat, 2000 messages a second'),
    'ping': ('iq -n 100 -W 4', 'ping'),
    'presence': ('presence -n 200 -k 10 -W 20', 'presence to 10 contacts'),
    'muc': ('muc --rooms 50 --occ 20 -W 1', 'room messages, 50 rooms of 20'),
    'bigmuc': ('muc --rooms 1 --occ 200 -W 1', 'room messages, one room of 200'),
    'login': ('login --first 1000 -n 400 --conc 32', 'login'),
    'logintls': ('login --first 1000 -n 400 --conc 32 --tls starttls', 'login, TLS'),
    # The last of three rounds: by then users have a TLS session to resume, and a token.
    'connect2': ('login --first 1000 -n 400 --conc 32 --rounds 3 --tls starttls', 'connection with TLS, without a login'),
    'connect3': ('login --first 1000 -n 400 --conc 32 --rounds 3 --tls starttls --tls-resume',
                 'connection with a resumed TLS session, without a login'),
    'login2': ('login --first 1000 -n 400 --conc 32 --rounds 3 --tls starttls', 'login, TLS, last of three rounds'),
    'login3': ('login --first 1000 -n 400 --conc 32 --rounds 3 --tls starttls --tls-resume', 'login, resumed TLS session'),
    'fast2': ('login --first 1000 -n 400 --conc 32 --rounds 3 --tls starttls', 'login by a token, TLS'),
    'fast3': ('login --first 1000 -n 400 --conc 32 --rounds 3 --tls starttls --tls-resume',
              'login by a token, resumed TLS session'),
    'idle': ('idle -n 5000 --bind-only', '5000 idle connections'),
    'idletls': ('idle -n 5000 --bind-only --tls starttls', '5000 idle connections, TLS'),
}
DEFAULT_TESTS = 'w1,w16,w1tls,w16tls,ping,presence,login,logintls,idle,idletls'
DEFAULT_TARGET = 'npm run --silent bench:server -- --port {port} --data {data}'
FAULTS = ('failed', 'lost', 'dup', 'ooo', 'errs')


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def wait_port(port, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            socket.create_connection(('127.0.0.1', port), 1).close()
            return
        except OSError:
            time.sleep(0.2)
    sys.exit(f'nothing listens on 127.0.0.1:{port}')


def ends(pid, seconds):
    """Waits for a process that may be no child of ours."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if os.waitpid(pid, os.WNOHANG)[0] == pid:
                return True
        except ChildProcessError:
            if not pathlib.Path(f'/proc/{pid}').exists():
                return True
        time.sleep(0.1)
    return False


class Server:
    """ports and pids as xload takes them, comma-separated."""

    restarts = True

    def __init__(self, root, name, mam=False):
        self.name, self.mam, self.folder, self.pids, self.main = name, mam, root / name, '', None
        self.port = self.ports = str(free_port())
        self.folder.mkdir()

    def certificate(self):
        d = self.folder
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
                        '-days', '30', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost',
                        '-keyout', d / 'key.pem', '-out', d / 'cert.pem'], check=True, stderr=subprocess.DEVNULL)
        (d / 'all.pem').write_text((d / 'cert.pem').read_text() + (d / 'key.pem').read_text())

    def fill(self, name, mam):
        text = (HERE / 'peers' / name).read_text()
        for key, value in {'DIR': str(self.folder), 'PORT': self.port, 'MAM': mam}.items():
            text = text.replace(f'@{key}@', value)
        (self.folder / name).write_text(text)

    def as_user(self, user, *command):
        return ['setpriv', '--reuid', user, '--regid', user, '--clear-groups', 'env', f'HOME={self.folder}', *command]

    def stop(self):
        if self.main is None:
            return
        for number, patience in ((signal.SIGTERM, 60), (signal.SIGKILL, 5)):
            try:
                os.kill(self.main, number)
            except ProcessLookupError:
                break
            if ends(self.main, patience):
                break
        self.main = None


class Ejabberd(Server):
    def __init__(self, root, mam):
        super().__init__(root, 'ejabberd', mam)
        self.certificate()
        for sub in ('spool', 'log'):
            (self.folder / sub).mkdir()
        self.fill('ejabberd.yml', 'mod_mam: {default: always, db_type: mnesia}' if mam else 'mod_time: {}')
        self.fill('ejabberdctl.cfg', '')
        shutil.copy('/etc/ejabberd/inetrc', self.folder / 'inetrc')
        subprocess.run(['chown', '-R', 'ejabberd', self.folder], check=True)
        # Erlang's port mapper stays when the server ends; it goes with us if it came with us.
        if subprocess.run(['pgrep', '-x', 'epmd'], stdout=subprocess.DEVNULL).returncode != 0:
            atexit.register(subprocess.run, ['epmd', '-kill'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def start(self):
        d = self.folder
        paths = [f'EJABBERD_PID_PATH={d}/pid', f'EJABBERD_CONFIG_PATH={d}/ejabberd.yml',
                 f'EJABBERD_LOG_PATH={d}/log/ejabberd.log', 'LC_ALL=C.UTF-8']
        ctl = ['ejabberdctl', '-n', f'ejcompare{os.getpid()}@localhost', '-s', d / 'spool', '-l', d / 'log', '-d', d,
               '-c', d / 'ejabberdctl.cfg', '-f', d / 'ejabberd.yml', 'start']
        subprocess.run(self.as_user('ejabberd', *paths, *ctl), check=True, cwd=d)
        wait_port(self.port)
        self.main = int((d / 'pid').read_text())
        self.pids = str(self.main)


class Prosody(Server):
    def __init__(self, root, mam):
        super().__init__(root, 'prosody', mam)
        self.certificate()
        for sub in ('data', 'certs'):
            (self.folder / sub).mkdir()
        self.fill('prosody.cfg.lua', '"mam";' if mam else '')
        subprocess.run(['chown', '-R', 'prosody', self.folder], check=True)

    def start(self):
        command = self.as_user('prosody', 'prosody', '-F', '--config', self.folder / 'prosody.cfg.lua')
        self.main = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).pid
        wait_port(self.port)
        self.pids = str(self.main)


class Command(Server):
    """The server under test, started by a command."""

    def __init__(self, root, command):
        super().__init__(root, 'target')
        self.command = command

    def start(self):
        words = self.command.format(port=self.port, data=self.folder)
        process = subprocess.Popen(['sh', '-c', f'exec {words}'], stdout=subprocess.PIPE, text=True, cwd=HERE.parent.parent)
        self.main = process.pid
        line = next((line for line in process.stdout if '"pids"' in line), None)
        if line is None:
            sys.exit(f'{words}: ended without the line that says what it listens on')
        said = json.loads(line)
        self.ports = ','.join(map(str, said['ports']))
        self.pids = ','.join(map(str, said['pids']))


class Running(Server):
    """The server under test, started by somebody else."""

    restarts = False

    def __init__(self, root, ports, pids):
        super().__init__(root, 'target')
        self.ports, self.pids = ports, pids

    def start(self):
        wait_port(self.ports.split(',')[0])


def accounts_for(tests):
    need = [200]
    need += [1400] if any(t.startswith(('login', 'fast', 'connect')) for t in tests) else []
    need += [1000] if any(t.endswith('muc') for t in tests) else []
    need += [5000] if any(t.startswith('idle') for t in tests) else []
    return max(need)


def markdown(tests, servers, runs, figure, unit, digits):
    """A table, or nothing where none of the tests has the figure."""
    def values(t, name):
        return [r[figure] for r in runs[t][name] if figure in r]

    tests = [t for t in tests if t.startswith('idle') == (figure != 'cpu_us_per_op')]
    if not tests:
        return
    names = [s.name for s in servers]
    peers = [n for n in names if n != 'target'] if 'target' in names else []
    print(f'\n| {unit} | ' + ' | '.join(names + [f'target / {n}' for n in peers]) + ' |')
    print('| --- |' + ' ---: |' * (len(names) + len(peers)))
    for t in tests:
        cells, median = [TESTS[t][1]], {}
        for name in names:
            found = values(t, name)
            missing = len(runs[t][name]) - len(found)
            median[name] = statistics.median(found) if found else None
            cells.append((f'{median[name]:.{digits}f} [{min(found):.{digits}f}]' if found else '-')
                         + (f', {missing} failed' if missing else ''))
        for peer in peers:
            both = median['target'] and median[peer]
            cells.append(f"{median['target'] / median[peer]:.2f}" if both else '-')
        print('| ' + ' | '.join(cells) + ' |')


def options():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument('--tests', default=DEFAULT_TESTS, help=f'of {",".join(TESTS)}; default {DEFAULT_TESTS}')
    a.add_argument('--reps', type=int, default=3, help='runs of each test on each server')
    a.add_argument('--secs', type=int, default=3, help='seconds measured in a run')
    a.add_argument('--peers', default='ejabberd,prosody', help='the servers to compare with')
    a.add_argument('--peers-only', action='store_true', help='measure the peers alone')
    a.add_argument('--mam', action='store_true', help='with message archives')
    a.add_argument('--keyspace', help="the default target's keyspace: embedded (default), redis or a URL")
    a.add_argument('--target-command', help=f'default: {DEFAULT_TARGET}')
    a.add_argument('--target', help='ports of a server that runs already, comma-separated')
    a.add_argument('--pids', default='', help='its processes, comma-separated')
    a.add_argument('--json', help='append every run to this file, one JSON object a line')
    o = a.parse_args()
    o.tests = [t for t in o.tests.split(',') if t]
    if unknown := [t for t in o.tests if t not in TESTS]:
        a.error(f'no such test: {", ".join(unknown)}')
    if o.target and not o.pids:
        a.error('--target needs --pids, all processes of the server')
    return o


def chosen(o, root):
    peers = {'ejabberd': Ejabberd, 'prosody': Prosody}
    servers = [peers[name](root, o.mam) for name in o.peers.split(',') if name]
    if o.target:
        servers.append(Running(root, o.target, o.pids))
    elif not o.peers_only:
        keyspace = f' --keyspace {o.keyspace}' if o.keyspace else ''
        servers.append(Command(root, o.target_command or DEFAULT_TARGET + keyspace))
    return servers


def measure(o, xload, server, test):
    mech = 'none' if test.startswith('connect') else 'scram'
    if test.startswith('fast') and server.name == 'target':
        mech = 'fast'
    command = [xload, *TESTS[test][0].split(), '-p', server.ports, '--pids', server.pids, '--mech', mech,
               '--scram-cache', xload.parent / 'scram', '--secs', str(o.secs), '--warmup', '1', '--label', server.name]
    try:
        out = subprocess.run(command, capture_output=True, text=True, timeout=600).stdout
    except subprocess.TimeoutExpired:
        return {'problem': 'took more than 600 s'}
    line = next((line for line in reversed(out.splitlines()) if line.startswith('RESULT ')), None)
    result = json.loads(line[7:]) if line else {'problem': 'no result'}
    if gone := [pid for pid in server.pids.split(',') if not pathlib.Path(f'/proc/{pid}').exists()]:
        sys.exit(f'{server.name}: process {", ".join(gone)} ended in {test}')
    if test.startswith('idle') and 'problem' not in result and result['up'] < 5000:
        return {'problem': f"only {result['up']} of 5000 connections are up"}
    return result


def main():
    o = options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard < accounts_for(o.tests) + 1000:
        sys.exit(f'only {hard} descriptors are allowed: raise the limit (ulimit -Hn 65536)')
    root = pathlib.Path(tempfile.mkdtemp(prefix='compare-'))
    root.chmod(0o755)
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    shutil.copytree(HERE / 'xload', root / 'xload')
    xload = root / 'xload' / 'xload'
    subprocess.run(['make', '-s', '-C', xload.parent], check=True)

    def say(text):
        print(text, file=sys.stderr, flush=True)

    servers = chosen(o, root)
    for server in servers:
        atexit.register(server.stop)
        server.start()
        say(f'{server.name}: creating {accounts_for(o.tests)} accounts …')
        where = ['-p', server.ports.split(',')[0]]
        setup = [['register', '-n', str(accounts_for(o.tests)), *where]]
        if 'presence' in o.tests:
            setup.append(['roster', '-n', '200', '-k', '10', *where])
        for arguments in setup:
            # On a busy machine single connections time out; what was made already is no failure the next time.
            for _ in range(3):
                done = subprocess.run([xload, *arguments], capture_output=True, text=True)
                if done.returncode == 0:
                    break
            else:
                sys.exit(f'{server.name}: xload {" ".join(arguments)} failed:\n{done.stdout}{done.stderr}')

    runs = {t: {s.name: [] for s in servers} for t in o.tests}
    for test in o.tests:
        for rep in range(o.reps):
            for server in servers:
                if test.startswith('idle'):
                    if not server.restarts:
                        sys.exit(f'{test}: the server must be restarted before; use --target-command')
                    server.stop()
                    server.start()
                result = measure(o, xload, server, test)
                figure = result.get('kib_anon' if test.startswith('idle') else 'cpu_us_per_op')
                say(f"{test} {rep + 1}/{o.reps} {server.name}: {result.get('problem') or figure}")
                runs[test][server.name].append(result)
                if o.json:
                    with open(o.json, 'a') as f:
                        f.write(json.dumps({'test': test, 'server': server.name, **result}) + '\n')

    print(f'Median [least] of {o.reps} alternating runs of {o.secs} s.')
    markdown(o.tests, servers, runs, 'cpu_us_per_op', 'server CPU, µs per operation', 1)
    markdown(o.tests, servers, runs, 'kib_anon', 'memory, KiB (anonymous) per connection', 1)
    markdown(o.tests, servers, runs, 'kib_rss', 'memory, KiB (RSS) per connection', 1)
    print()
    for server in servers:
        results = [r for t in o.tests for r in runs[t][server.name]]
        print(f'{server.name}: ' + ', '.join(f'{sum(r.get(k, 0) for r in results)} {k}' for k in FAULTS))


main()
