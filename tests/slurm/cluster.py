# SPDX-License-Identifier: Apache-2.0
"""A cluster of two nodes under Slurm on one machine, with real daemons and TCP between the nodes. Needs root."""
import contextlib
import os
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
import time

from machine import Machine, read

# The bridge lies in the network namespace of the head, so that no interface and no port is added to this machine.
NETWORK, HEAD = "10.213.84", "head"
NODES = ("n1", "n2")
ADDRESSES = {HEAD: f"{NETWORK}.254", **{node: f"{NETWORK}.{k + 1}" for k, node in enumerate(NODES)}}
PROGRAMS = ("slurmctld", "slurmd", "munged", "srun", "sbatch", "ip", "ss", "nsenter", "unshare", "setpriv", "timeout")
PACKAGES = "slurm-wlm munge iproute2"
NODE_DEATH_SECONDS = 10  # without a sign of life; Slurm may take twice as long to notice

SLURM_CONF = f"""
ClusterName=parconv
SlurmctldHost={HEAD}({ADDRESSES[HEAD]})
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=FOLDER/munge/socket,cred_expire=5
CredType=cred/munge
StateSaveLocation=FOLDER/state
SlurmdSpoolDir=FOLDER/spool/%n
SlurmctldPidFile=FOLDER/slurmctld.pid
SlurmdPidFile=FOLDER/slurmd-%n.pid
SlurmctldLogFile=FOLDER/log/slurmctld
SlurmdLogFile=FOLDER/log/%n
ProctrackType=proctrack/linuxproc
TaskPlugin=task/affinity
SwitchType=switch/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_interval=2,batch_sched_delay=1,bf_interval=2
MpiDefault=none
ReturnToService=2
SlurmdTimeout={NODE_DEATH_SECONDS}
KillWait=3
SlurmdParameters=config_overrides
{{}}
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def missing():
    """Why there can be no cluster here; empty if there can."""
    if os.geteuid() != 0:
        return "needs root, for namespaces and the daemons of Slurm"
    path = os.environ["PATH"] + ":/usr/sbin:/sbin"
    absent = [program for program in PROGRAMS if shutil.which(program, path=path) is None]
    if absent:
        return f"not installed: {' '.join(absent)}; apt-get install {PACKAGES}"
    probe = subprocess.run(["unshare", "--net", "--pid", "--mount", "--fork", "true"], capture_output=True, text=True, check=False)
    return f"no namespaces here: {probe.stderr.strip()}" if probe.returncode else ""


class Cluster:
    """A context. `folder` is seen by all nodes, as are the folders `shared`; `cores` are those of a node in the eyes of Slurm."""

    def __init__(self, shared=(), cores=2):
        self._shared, self._cores = shared, cores
        self._exit = contextlib.ExitStack()
        self.machines = {}
        self.daemons = {}

    def __enter__(self):
        try:
            self._make()
        except BaseException:
            self._exit.close()
            raise
        return self

    def __exit__(self, *_):
        self._exit.close()

    def _make(self):
        self.folder = tempfile.mkdtemp(prefix="parconv_cluster.")
        self._exit.callback(shutil.rmtree, self.folder, ignore_errors=True)
        os.chmod(self.folder, 0o755)
        for name in ("munge", "state", "spool/n1", "spool/n2", "log", "machines", "work"):
            os.makedirs(self.path(name))
        self.work = self.path("work")
        self.environment = {**os.environ, "SLURM_CONF": self.path("slurm.conf"), "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"}
        self._configure()
        self._add_machine(HEAD)
        self._run_on_head("ip", "link", "add", "switch", "type", "bridge")
        self._run_on_head("ip", "address", "add", f"{ADDRESSES[HEAD]}/24", "dev", "switch")
        self._run_on_head("ip", "link", "set", "switch", "up")
        self._start_daemons(HEAD)
        for node in NODES:
            self._add_node(node)
        self.wait(lambda: self._are_idle(NODES), "the nodes are idle", 60)

    def path(self, name):
        return os.path.join(self.folder, name)

    def _configure(self):
        nodes = [f"NodeName={node} NodeAddr={ADDRESSES[node]} CPUs={self._cores} State=UNKNOWN" for node in NODES]
        with open(self.path("slurm.conf"), "w", encoding="utf-8") as file:
            file.write(SLURM_CONF.format("\n".join(nodes)).replace("FOLDER", self.folder))
        with open(self.path("cgroup.conf"), "w", encoding="utf-8") as file:
            file.write("CgroupAutomount=no\n")
        with open(self.path("munge/key"), "wb") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(secrets.token_bytes(128))

    def _add_machine(self, name):
        hosts = "".join(f"{address} {host}\n" for host, address in ADDRESSES.items())
        folder = tempfile.mkdtemp(dir=self.path("machines"))  # a node that is started again has a new one
        self.machines[name] = Machine(name, folder, [self.folder, *self._shared], hosts)
        self._exit.callback(self.machines[name].close)

    def _run_on_head(self, *arguments):
        self.machines[HEAD].run(*arguments).check_returncode()

    def _add_node(self, node):
        self._add_machine(node)
        first = self.machines[node].first_process
        inside = ["nsenter", f"--target={self.machines[HEAD].first_process}", "--net"]  # sees the ids of all processes
        for command in (f"link add {node} type veth peer name eth0 netns {first}", f"link set {node} master switch", f"link set {node} up"):
            subprocess.run([*inside, "ip", *command.split()], check=True)
        for command in (f"address add {ADDRESSES[node]}/24 dev eth0", "link set eth0 up"):
            self.machines[node].run("ip", *command.split()).check_returncode()
        self._start_daemons(node)

    def _start_daemons(self, name):
        if name == HEAD:
            files = {"key-file": "key", "socket": "socket", "pid-file": "pid", "log-file": "log", "seed-file": "seed"}
            options = [f"--{option}={self.path('munge')}/{file}" for option, file in files.items()]
            self._start_daemon("munged", HEAD, "munged", "--foreground", "--force", "--num-threads=2", *options)
            self.wait(lambda: os.path.exists(self.path("munge/socket")), "munged listens")
            self._start_daemon("slurmctld", HEAD, "slurmctld", "-D", "-i")
        else:
            self._start_daemon(name, name, "slurmd", "-D", "-N", name)

    def _start_daemon(self, key, name, *command):
        with open(self.path(f"log/{key}.out"), "w", encoding="utf-8") as log:
            self.daemons[key] = self.machines[name].start(*command, env=self.environment, stdout=log, stderr=log)
        self._exit.callback(self._stop_daemon, key, name, command[0])

    def _stop_daemon(self, key, name, program):
        for pid in self.machines[name].processes(program):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):  # the end of the machine follows
            self.daemons[key].wait(timeout=5)
        self.daemons[key].kill()
        self.daemons[key].wait()

    def wait(self, holds, what, seconds=30):
        end = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > end:
                raise AssertionError(f"after {seconds} s not yet true: {what}\n{self.logs()}")
            time.sleep(0.1)

    def logs(self, lines=15):
        texts = []
        for name in sorted(os.listdir(self.path("log"))):
            texts.append(f"== {name}\n" + "\n".join(read(self.path(f"log/{name}")).splitlines()[-lines:]))
        return "\n".join(texts)

    def on_head(self, *arguments, seconds=60, **environment):
        """Runs a command on the head node in the working folder; its output holds standard error too."""
        done = self.machines[HEAD].run("env", f"--chdir={self.work}", *arguments, seconds=seconds, env={**self.environment, **environment})
        return done

    def expect(self, *arguments, code=0, **options):
        done = self.on_head(*arguments, **options)
        if done.returncode != code:
            raise AssertionError(f"{arguments} ended with {done.returncode}: {done.stdout}\n{self.logs()}")
        return done.stdout

    def _are_idle(self, nodes):
        states = self.on_head("sinfo", "--noheader", "--Node", "--format=%N %T").stdout.split("\n")
        return all(f"{node} idle" in states for node in nodes)

    def wait_until_idle(self, seconds=60):
        self.wait(lambda: self._are_idle(NODES), "the nodes are idle", seconds)

    def submit(self, *arguments, **environment):
        return self.expect("sbatch", "--parsable", *arguments, **environment).split(";")[0].split("\n")[0]

    def facts(self, job):
        """What Slurm says of a job: JobState, ExitCode, Restarts, ..."""
        return dict(re.findall(r"(\w+)=(\S*)", self.on_head("scontrol", "show", "job", job).stdout))

    def state(self, job):
        return self.facts(job).get("JobState", "")

    def wait_for_state(self, job, states, seconds=60):
        self.wait(lambda: self.state(job) in states, f"job {job} is {states}, now {self.state(job)}", seconds)
        return self.facts(job)

    def wait_for_end(self, job, seconds=120):
        return self.wait_for_state(job, ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL"), seconds)

    def set_link(self, node, state):
        """Plugs or unplugs a node."""
        self._run_on_head("ip", "link", "set", node, state)

    def power_off(self, node):
        self.machines[node].close()
        self.daemons[node].wait()

    def power_on(self, node):
        """As a node without a disk: its slurmd knows of no job."""
        shutil.rmtree(self.path(f"spool/{node}"))
        os.mkdir(self.path(f"spool/{node}"))
        self._add_node(node)
        self.wait_until_idle()
