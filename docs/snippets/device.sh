#!/bin/sh
# Signs this device in with curl alone (RFC 8628). Usage: sh device.sh ISSUER CLIENT_ID; the token goes to stdout.
set -eu
issuer=${1%/} client=$2

# The value of one member of flat JSON, enough for these answers; with jq: jq -r ".$1".
member() { sed -n 's/.*"'"$1"'" *: *"\{0,1\}\([^",}]*\)"\{0,1\}.*/\1/p' | sed 's#\\/#/#g' | head -n 1; }

metadata=$(curl -fsS "$issuer/.well-known/openid-configuration")
start_url=$(printf %s "$metadata" | member device_authorization_endpoint)
token_url=$(printf %s "$metadata" | member token_endpoint)

start=$(curl -fsS "$start_url" -d client_id="$client" -d scope="${SCOPE:-openid}")
device_code=$(printf %s "$start" | member device_code)
interval=$(printf %s "$start" | member interval)
interval=${interval:-5}
echo "Open $(printf %s "$start" | member verification_uri) and type $(printf %s "$start" | member user_code)" >&2

while sleep "$interval"; do
  # No answer is no reason to stop: the next poll may have one.
  answer=$(curl -sS "$token_url" -d client_id="$client" --data-urlencode device_code="$device_code" \
    -d grant_type=urn:ietf:params:oauth:grant-type:device_code) || continue
  case $(printf %s "$answer" | member error) in
    authorization_pending | temporarily_unavailable) ;;
    slow_down) interval=$((interval + 5)) ;;
    '') printf '%s\n' "$(printf %s "$answer" | member access_token)" && exit 0 ;;
    *) echo "Refused: $(printf %s "$answer" | member error)" >&2 && exit 1 ;;
  esac
done
