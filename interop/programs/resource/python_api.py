"""Told by the environment, says JSON lines: the verifier of docs/resource-servers.md, asked once."""

import json
import os
import sys

from jwt import PyJWTError
from verify import verify_access_token

try:
    print(json.dumps({"taken": verify_access_token(os.environ["TOKEN"])["sub"]}))
except PyJWTError as error:
    print(json.dumps({"refused": str(error)}))
    sys.exit(1)
