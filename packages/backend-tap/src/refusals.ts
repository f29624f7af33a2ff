import { E } from '@vnet/linux'
import { ERRNO } from '@vnet/kernel'
import type { ErrnoName } from '@vnet/kernel'

/** What was being done when the host refused. @kernel none */
export type TapStep = 'open' | 'create' | 'queue' | 'configure'

/**
 * Says in one sentence why the host refused a TAP, and what to do about it.
 *
 * @param refused - the error, by name or by the number a C library gives
 * @param name - of the interface that was wanted
 * @returns undefined when there is nothing to say beyond the error itself
 * @kernel tun_set_iff() drivers/net/tun.c
 */
export function explainTapRefusal(
  refused: ErrnoName | number,
  name: string,
  step: TapStep = 'create',
): string | undefined {
  const number = typeof refused === 'number' ? refused : ERRNO[refused]
  return (step === 'open' ? opening(number) : creating(number, name, step)) ?? undefined
}

function opening(number: number): string | null {
  switch (number) {
    case E.NOENT:
      return 'there is no /dev/net/tun: run `modprobe tun` as root; in a container, start it with `--device /dev/net/tun`'
    case E.NODEV:
    case E.NXIO:
      return '/dev/net/tun is there but its driver is not: run `modprobe tun` as root'
    case E.ACCES:
    case E.PERM:
      return 'this user may not open /dev/net/tun: run as root, or let root run `chmod 0666 /dev/net/tun` (making an interface needs more than that)'
    default:
      return null
  }
}

function creating(number: number, name: string, step: TapStep): string | null {
  switch (number) {
    case E.PERM:
      return step === 'configure'
        ? `this user may not configure ${name}: let root run \`ip link set ${name} up\``
        : `this user may not make ${name} or attach to it: run as root, or inside \`unshare -rn\`, or let root run \`ip tuntap add dev ${name} mode tap user $USER\` once`
    case E.BUSY:
      return step === 'queue'
        ? `${name} has another number of queues than was asked for, or another program holds some of them`
        : `${name} is taken: another program is attached to it, or it was to be new and is there; \`ip link show ${name}\`, or choose another name`
    case E.INVAL:
      return `${name} is there and is no such TAP: another kind of interface, or made with other flags (\`ip -d link show ${name}\`: multi_queue must be as asked for)`
    case E.NODEV:
      return `there is no interface ${name} to attach to: let root run \`ip tuntap add dev ${name} mode tap user $USER\``
    default:
      return null
  }
}
