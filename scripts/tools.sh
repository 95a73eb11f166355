#!/bin/sh
# Installs what the tests of the chart, the CRDs and the alert rules run, pinned, into the user's cache. What cannot be had here
# is said aloud and its tests are skipped; what can be had and fails to install is a failure. A second run does nothing.
set -u
helm=v3.19.0
kustomize=v5.7.1
kubernetes=v1.34.1

source=$(cd "$(dirname "$0")/.." && pwd)
tools=${XDG_CACHE_HOME:-$HOME/.cache}/mgateway-tools
mkdir -p "$tools/bin"
failed=0

fail() {
  echo "tools: FAILED: $1" >&2
  failed=1
}

# wanted NAME VERSION: whether it is not there yet in this version.
wanted() {
  [ "$(cat "$tools/$1.version" 2>/dev/null)" != "$2" ]
}

# install NAME VERSION PACKAGE
install() {
  if wanted "$1" "$2" || [ ! -x "$tools/bin/$1" ]; then
    GOFLAGS=-buildvcs=false GOBIN="$tools/bin" go install -ldflags '-s -w' "$3@$2" &&
      echo "$2" >"$tools/$1.version" || fail "$1 $2"
  fi
}

if command -v go >/dev/null; then
  install helm $helm helm.sh/helm/v3/cmd/helm
  install kustomize $kustomize sigs.k8s.io/kustomize/kustomize/v5
  # The API server's own schemas and its own check of CustomResourceDefinitions.
  if wanted kubernetes $kubernetes; then
    from=$(cd "$tools" && go mod download -json "k8s.io/kubernetes@$kubernetes" |
      node -p 'JSON.parse(require("fs").readFileSync(0, "utf8")).Dir') &&
      cp "$from/api/openapi-spec/swagger.json" "$tools/kubernetes-openapi.json.new" &&
      chmod u+w "$tools/kubernetes-openapi.json.new" &&
      mv "$tools/kubernetes-openapi.json.new" "$tools/kubernetes-openapi.json" &&
      echo $kubernetes >"$tools/kubernetes.version" || fail "the schemas of Kubernetes $kubernetes"
  fi
  (cd "$source/scripts/crd-check" && GOFLAGS=-buildvcs=false go build -o "$tools/bin/crd-check" .) || fail crd-check
else
  echo 'tools: SKIPPED: helm, kustomize, the schemas of Kubernetes and crd-check need go' >&2
fi

if ! command -v promtool >/dev/null; then
  if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends prometheus; } >/dev/null ||
      fail promtool
  else
    echo 'tools: SKIPPED: promtool needs apt-get and root' >&2
  fi
fi
exit $failed
