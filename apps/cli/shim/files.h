/* SPDX-License-Identifier: GPL-2.0-only OR MIT
 * Files about the network: what a program opens to read is the machine's text, copied into a file of its own, so that
 * every way to read it works. Writing is for `vnet tee`. */
static int starts(const char *path, const char *with) {
  while (*with)
    if (*path++ != *with++) return 0;
  return 1;
}
/* psched is about the clock of tc, not about a network. */
static int machine_path(const char *path) {
  if (!has_machine() || path == 0 || path[0] != '/' || starts(path, "/proc/net/psched")) return 0;
  return starts(path, "/proc/net/") || starts(path, "/sys/class/net/") || starts(path, "/proc/sys/net/");
}
static i64 open_file(const char *path, u64 flags) {
  u8 piece[4096];
  if ((flags & O_ACCMODE) != 0) return -EACCES;
  i64 fd = reach(SOCK_CLOEXEC);
  if (fd < 0) return fd;
  i64 r = ask(fd, OP_OPEN, (u64)path, length(path, 4096), 0, 0, 0);
  i64 copied = r < 0 ? r : SYS(memfd_create, "vnet", flags & O_CLOEXEC ? 1 : 0, 0, 0, 0, 0);
  if (r >= 0 && !bad(copied)) {
    while ((r = ask(fd, OP_READ, (u64)piece, sizeof piece, 0, 0, 0)) > 0) SYS(write, copied, piece, r, 0, 0, 0);
    SYS(lseek, copied, 0, 0, 0, 0, 0);
    if (r < 0) {
      SYS(close, copied, 0, 0, 0, 0, 0);
      copied = r;
    }
  }
  SYS(close, fd, 0, 0, 0, 0, 0);
  return copied;
}
