import { NSEC_PER_SEC, type Kernel } from '@vnet/kernel'

/** What `uname` tells: fields of 64 bytes. @kernel struct new_utsname include/uapi/linux/utsname.h */
export interface Utsname {
  readonly sysname: string
  readonly nodename: string
  readonly release: string
  readonly version: string
  readonly machine: string
}

/** The Linux this kernel behaves like, and who it is. @kernel init_uts_ns init/version.c */
export function utsname(nodename: string): Utsname {
  return { sysname: 'Linux', nodename, release: '6.1.0-vnet', version: '#1 vnet', machine: 'x86_64' }
}

/** /proc/version, and the first line of the log. @kernel linux_proc_banner init/version.c */
export function versionText(name: string): string {
  const { sysname, release, version } = utsname(name)
  return `${sysname} version ${release} (vnet) (TypeScript) ${version}`
}

/** /proc/uptime: seconds since boot, and seconds idle, which is all of them. @kernel uptime_proc_show() fs/proc/uptime.c */
export function procUptime(kernel: Kernel): string {
  const centis = Math.floor(kernel.clock.ktimeGet() / (NSEC_PER_SEC / 100))
  const text = `${Math.floor(centis / 100)}.${String(centis % 100).padStart(2, '0')}`
  return `${text} ${text}\n`
}
