"""Checks a SCIM service with scim2-tester, which requires that it contains nothing.

The first line of standard input is {"address": ..., "token": ...}. The output is
one line: [{"status": ..., "title": ..., "reason": ...}, ...].
"""

import json
import sys

import httpx2
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import check_server

asked = json.loads(sys.stdin.readline())
headers = {"Authorization": f"Bearer {asked['token']}"}
client = httpx2.Client(base_url=asked["address"], headers=headers, trust_env=False)
results = check_server(SyncSCIMClient(client))
told = [
    {"status": it.status.name, "title": it.title, "reason": it.reason or ""}
    for it in results
]
print(json.dumps(told), flush=True)
