#!/usr/bin/env bash
# Runs the claims of docs/verify-on-iris.md on a server and prints a table: iris-docker/verify.sh [NUMBER…]
# With MEETUP2025_CLAIMS=docs/verify-models.md it runs those of the models, which need no server.
#
# A claim is a heading with a number, a block, and a line `Expected:` with a pattern that a line of the output must match.
# `sql` runs over the driver, `objectscript` is typed into a terminal of the server, `bash` runs here. Set
#   MEETUP2025_IRIS_URL       the server                    [iris://_SYSTEM@localhost:1972/USER]
#   MEETUP2025_IRIS_PASSWORD  its password
#   MEETUP2025_TERMINAL       command that takes ObjectScript  [docker compose … exec -T iris … session USER]
set -euo pipefail
cd "$(dirname "$0")/.."

export MEETUP2025_URL=${MEETUP2025_IRIS_URL:-iris://_SYSTEM@localhost:1972/USER}
terminal=${MEETUP2025_TERMINAL:-docker compose -f iris-docker/compose.yaml exec -T iris /opt/meetup2025/iris-docker/session USER}
document=${MEETUP2025_CLAIMS:-docs/verify-on-iris.md}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# Cuts the document into the files NUMBER.title, NUMBER.language, NUMBER.block and NUMBER.expected.
awk -v folder="$folder" '
    /^### [0-9]+\. / { number = $2 + 0; sub(/^### [0-9]+\. /, ""); print > (folder "/" number ".title"); next }
    !number { next }
    /^```[a-z]+$/ { print substr($0, 4) > (folder "/" number ".language"); inside = 1; next }
    /^```$/ { inside = 0; next }
    inside { print > (folder "/" number ".block"); next }
    /^Expected: `.*`/ { sub(/^Expected: `/, ""); sub(/`[^`]*$/, ""); print > (folder "/" number ".expected") }
' "$document"

run() {
    case $(< "$1.language") in
    sql) meetup2025 sql --format csv < "$1.block" ;;
    objectscript) $terminal < "$1.block" ;;
    bash) bash -euo pipefail "$1.block" ;;
    esac
}

numbers=("$@")
[ ${#numbers[@]} -gt 0 ] || mapfile -t numbers < <(cd "$folder" && for each in *.title; do echo "${each%.title}"; done | sort -n)
failed=0
for number in "${numbers[@]}"; do
    claim=$folder/$number
    if [ ! -e "$claim.expected" ]; then
        echo "There must be a claim $number with a pattern in $document." >&2
        exit 2
    fi
    start=$SECONDS result=ok
    run "$claim" > "$claim.output" 2>&1 || true # an expected error is no failure: the output decides
    grep -qE -- "$(< "$claim.expected")" "$claim.output" || result=FAILED
    printf '%-6s %4s  %3ss  %s\n' "$result" "$number" $((SECONDS - start)) "$(< "$claim.title")"
    if [ "$result" = FAILED ]; then
        failed=$((failed + 1))
        printf '              expected %s\n' "$(< "$claim.expected")"
        sed 's/^/              | /' "$claim.output" | tail -n 20
    fi
done
echo "$failed of ${#numbers[@]} claims failed."
[ "$failed" = 0 ]
