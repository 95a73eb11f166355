# Runs "$@" inside the directory ROOT as user USER_ID, with everything in it but the state directory read-only. Mounts vanish with this process's namespace.
set -eu
mount --make-rprivate /
mkdir -p "$ROOT/proc" "$ROOT/dev" "$ROOT/etc/mgateway/resources" "$ROOT/var/lib/mgateway"
mount --bind "$ROOT" "$ROOT"
mount -t proc proc "$ROOT/proc"
for device in null urandom; do
  : >>"$ROOT/dev/$device"
  mount --bind "/dev/$device" "$ROOT/dev/$device"
done
mount --bind "$CONFIG" "$ROOT/etc/mgateway/resources"
mount -o remount,ro,bind "$ROOT/etc/mgateway/resources"
mount --bind "$STATE" "$ROOT/var/lib/mgateway"
mount -o remount,ro,bind "$ROOT"
exec chroot --userspec="$USER_ID" "$ROOT" "$@"
