"""What to do where no session could be had: one line for each kind of failure. Pure.

libpq gives text alone: before there is a session it keeps no SQLSTATE.
"""

from __future__ import annotations

import re

# In this order: what a server said tells more than what an attempt at another of its addresses met, and its
# words about who may come in speak of encryption too.
_REMEDIES = {
    r"authentication failed|no password supplied|role \".*\" does not exist|Tenant or user not found": (
        "correct user and password in the database's URL, special characters percent-encoded"
    ),
    r"pg_hba\.conf": (
        "let this client in by the server's pg_hba.conf or the provider's list of networks, or come by TLS"
    ),
    r"database \".*\" does not exist": (
        "correct the name at the end of the database's URL, or make it by CREATE DATABASE"
    ),
    r"too many (?:clients|connections)|remaining connection slots": (
        "end sessions that nobody needs, or raise the limit of the server or of the role"
    ),
    r"the database system is ": "the server starts, stops or recovers: wait, longer by --connect-wait",
    r"SSL|TLS|certificate": (
        "TLS needs a server that offers it, its authority in sslrootcert and the certificate's name as host"
    ),
    r"translate host name|resolve host": (
        "correct the host in the database's URL (in the cluster NAME.NAMESPACE.svc), or the name service here"
    ),
    r"timeout expired|timed out|No route to host|unreachable": (
        "open the way to host and port: a firewall, a network policy or a list of networks is in it"
    ),
    r"Connection refused|No such file or directory|closed the connection": (
        "start the server, or correct host and port in the database's URL"
    ),
}
_OTHERWISE = "check host, port, user and name in the database's URL, and the server's log"


def remedy(message: str) -> str:
    """What to do about the failure that libpq describes."""
    return next((text for pattern, text in _REMEDIES.items() if re.search(pattern, message)), _OTHERWISE)
