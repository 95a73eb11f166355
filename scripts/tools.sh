#!/bin/sh
# Installs what the tests of the chart, the CRDs, the alert rules and the dashboard need, pinned, into the user's cache. What cannot be had here
# is said aloud and its tests are skipped; what can be had and fails to install is a failure. A second run does nothing.
# The first one compiles helm, kubectl and a Kubernetes API server: some six minutes on two cores.
set -u
operator=v0.85.0
grafana=13.2.3

programs="$(cd "$(dirname "$0")" && pwd)/tools"
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

# module MODULE VERSION: the directory of its files.
module() {
  (cd "$programs" && go mod download -json "$1@$2") |
    node -p 'JSON.parse(require("fs").readFileSync(0, "utf8")).Dir'
}

# The module's own version of Kubernetes is that of everything here.
build() {
  kubernetes=$(cd "$programs" && go list -m -f '{{.Version}}' k8s.io/kubernetes) || return 1
  minor=${kubernetes#v1.}
  minor=${minor%%.*}
  helm=helm.sh/helm/v3/pkg/chartutil
  version=k8s.io/component-base/version
  # As releases do: which Kubernetes it is, and for which one `helm template` renders if it is not told.
  (cd "$programs" && GOFLAGS=-buildvcs=false go build -o "$tools/bin/" -ldflags "-s -w
    -X $helm.k8sVersionMajor=1 -X $helm.k8sVersionMinor=$minor
    -X $version.gitVersion=$kubernetes -X $version.gitMajor=1 -X $version.gitMinor=$minor" \
    ./api-server helm.sh/helm/v3/cmd/helm k8s.io/kubernetes/cmd/kubectl \
    github.com/helm-unittest/helm-unittest/cmd/helm-unittest)
}

if command -v go >/dev/null; then
  sources=$(cat "$0" "$programs/go.mod" "$programs/go.sum" "$programs"/*/*.go | cksum)
  if wanted programs "$sources"; then
    build && echo "$sources" >"$tools/programs.version" || fail 'helm, helm-unittest, kubectl and api-server'
  fi
  if wanted operator $operator; then
    from=$(module github.com/prometheus-operator/prometheus-operator $operator) &&
      crds="$from/example/prometheus-operator-crd/monitoring.coreos.com" &&
      cat "${crds}_podmonitors.yaml" "${crds}_prometheusrules.yaml" "${crds}_servicemonitors.yaml" \
        >"$tools/prometheus-operator-crds.yaml" &&
      echo $operator >"$tools/operator.version" || fail "the CRDs of the Prometheus operator $operator"
  fi
else
  echo 'tools: SKIPPED: helm, helm-unittest, kubectl, the API server and the CRDs of the Prometheus operator need go' >&2
fi

# Grafana's own words for a dashboard, as types.
if wanted grafana $grafana; then
  npm install --prefix "$tools/grafana" --no-audit --no-fund --ignore-scripts --loglevel error \
    "@grafana/schema@$grafana" @grafana/grafana-foundation-sdk@0.0.21 >/dev/null &&
    echo $grafana >"$tools/grafana.version" || fail "the types of Grafana $grafana"
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
