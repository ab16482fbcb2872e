#!/bin/sh
# Makes the image of the guestbook from what this machine has: PostgreSQL, its client, and busybox for the web pages.
#
#   FORKLESS  the program (default: forkless)   OUT  where the files are put together (default: a temporary directory)
set -eu

here=$(cd "$(dirname "$0")" && pwd)
forkless=${FORKLESS:-forkless}
work=${OUT:-$(mktemp -d)}
root=$work/root
version=$(ls /usr/lib/postgresql | sort -n | tail -n 1)
postgres=/usr/lib/postgresql/$version
busybox=$(command -v busybox)

rm -rf "$root"
mkdir -p "$root/bin" "$root/tmp" "$root/etc" "$root/var/run" "$root/www/cgi-bin" "$root/usr/local"
chmod 1777 "$root/tmp"

# A program and the libraries that it names.
add() {
    for file in "$@"; do
        mkdir -p "$root$(dirname "$file")"
        cp -L "$file" "$root$file"
        ldd "$file" 2>/dev/null | grep -o '/[^ ]*' | while read -r library; do
            mkdir -p "$root$(dirname "$library")"
            [ -e "$root$library" ] || cp -L "$library" "$root$library"
        done
    done
}

add "$postgres/bin/postgres" "$postgres/bin/initdb" "$postgres/bin/psql" "$postgres/bin/pg_isready"
add "$postgres/lib/plpgsql.so" "$postgres/lib/dict_snowball.so"
mkdir -p "$root/usr/share/postgresql" "$root/usr/share/zoneinfo"
cp -RL "/usr/share/postgresql/$version" "$root/usr/share/postgresql/"
cp -L /usr/share/zoneinfo/UTC "$root/usr/share/zoneinfo/"
ln -s "$postgres/bin" "$root/usr/local/bin"

cp "$busybox" "$root/bin/busybox"
for name in $("$busybox" --list); do
    [ "$name" = busybox ] || ln -s busybox "$root/bin/$name"
done
printf 'root:x:0:0:root:/:/bin/sh\npostgres:x:999:999:postgres:/tmp:/bin/sh\n' >"$root/etc/passwd"
printf 'root:x:0:\npostgres:x:999:\n' >"$root/etc/group"
cp "$here/guestbook" "$root/www/cgi-bin/guestbook"
chmod 755 "$root/www/cgi-bin/guestbook"

cp "$here/Dockerfile" "$work/Dockerfile"
"$forkless" build -q -t guestbook:1 "$work"
