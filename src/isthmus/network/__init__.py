"""Links, addresses, routes and rules of the host: a desired state, and its reconciliation.

What is ours is marked, so that a start after SIGKILL finds it and touches nothing else:

* tunnel interfaces carry the alias `isthmus`; they are made by the data plane, are not persistent, and
  vanish with the process;
* routes carry protocol number 73, which nobody has registered (rt_protos of iproute2);
* rules stand in an nftables table of their own, `inet isthmus`.

Each route into a tunnel has a backstop: the same destination as `unreachable`, at the worst metric there is.
The backstop does not depend on the interface, so it outlives a killed process, and what the tunnel protected is
refused rather than sent along the host's default route. A polite stop removes the backstops last: from then on
the host routes as if Isthmus had never run, which is what "leaves nothing behind" has to mean.
"""
