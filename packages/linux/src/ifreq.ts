import { Errno } from '@vnet/kernel'
import { AF, IFF, SOCK } from './consts.ts'
import { HostMemory } from './memory.ts'
import { closeFd, sys } from './sys.ts'

const IFNAMSIZ = 16
const SIOCGIFFLAGS = 0x8913
const SIOCSIFFLAGS = 0x8914
const SIOCGIFMTU = 0x8921
const SIOCSIFMTU = 0x8922
const SIOCSIFHWADDR = 0x8924
const ARPHRD_ETHER = 1

/**
 * Says why a text cannot name an interface, or null.
 *
 * @kernel dev_valid_name() net/core/dev.c
 */
export function ifNameProblem(name: string): string | null {
  const bytes = new TextEncoder().encode(name).length
  if (bytes === 0) return 'an interface name cannot be empty'
  if (bytes >= IFNAMSIZ)
    return `'${name}' is ${bytes} bytes long; an interface name has at most ${IFNAMSIZ - 1}`
  if (name === '.' || name === '..' || /[/:\s]/.test(name)) {
    return `'${name}' cannot name an interface: no blanks, '/' or ':', nor '.' and '..'`
  }
  return null
}

/**
 * Throws for a text that cannot name an interface.
 *
 * @throws Errno EINVAL
 * @kernel dev_valid_name() net/core/dev.c
 */
export function checkIfName(name: string): void {
  const problem = ifNameProblem(name)
  if (problem !== null) throw new Errno('EINVAL', problem, 'name')
}

/**
 * The structure interface ioctls take: a name, then what the request is about.
 *
 * @kernel struct ifreq include/uapi/linux/if.h
 */
export class Ifreq {
  readonly memory: HostMemory

  constructor(name: string) {
    this.memory = new HostMemory(40)
    new TextEncoder().encodeInto(name, this.memory.bytes.subarray(0, IFNAMSIZ - 1))
  }

  get address(): number {
    return this.memory.address
  }

  get name(): string {
    const { bytes } = this.memory
    return new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)))
  }

  get flags(): number {
    return this.memory.view.getUint16(IFNAMSIZ, true)
  }

  set flags(value: number) {
    this.memory.view.setUint16(IFNAMSIZ, value, true)
  }
}

/**
 * The index of an interface, or 0 when there is none of this name.
 *
 * @kernel if_nametoindex()
 */
export function ifIndex(name: string): number {
  return sys('if_nametoindex', [name])
}

/**
 * The IFF_ flags of an interface.
 *
 * @throws Errno ENODEV
 * @kernel SIOCGIFFLAGS
 */
export function ifFlags(name: string): number {
  const request = new Ifreq(name)
  ioctl(SIOCGIFFLAGS, request)
  return request.flags
}

/**
 * Sets an interface up or down.
 *
 * @throws Errno EPERM, ENODEV, what its driver said
 * @kernel SIOCSIFFLAGS
 */
export function setIfUp(name: string, up: boolean): void {
  const flags = ifFlags(name)
  const request = new Ifreq(name)
  request.flags = up ? flags | IFF.UP : flags & ~IFF.UP
  ioctl(SIOCSIFFLAGS, request)
}

/**
 * The MTU of an interface.
 *
 * @throws Errno ENODEV
 * @kernel SIOCGIFMTU
 */
export function ifMtu(name: string): number {
  const request = new Ifreq(name)
  ioctl(SIOCGIFMTU, request)
  return request.memory.view.getInt32(IFNAMSIZ, true)
}

/**
 * Sets the MTU of an interface.
 *
 * @throws Errno EPERM, ENODEV, EINVAL
 * @kernel SIOCSIFMTU
 */
export function setIfMtu(name: string, mtu: number): void {
  const request = new Ifreq(name)
  request.memory.view.setInt32(IFNAMSIZ, mtu, true)
  ioctl(SIOCSIFMTU, request)
}

/**
 * Sets the Ethernet address of an interface, six bytes.
 *
 * @throws Errno EPERM, ENODEV, EADDRNOTAVAIL
 * @kernel SIOCSIFHWADDR
 */
export function setIfHwaddr(name: string, address: Uint8Array): void {
  const request = new Ifreq(name)
  request.memory.view.setUint16(IFNAMSIZ, ARPHRD_ETHER, true)
  request.memory.bytes.set(address.subarray(0, 6), IFNAMSIZ + 2)
  ioctl(SIOCSIFHWADDR, request)
}

function ioctl(number: number, request: Ifreq): void {
  const fd = sys('socket', [AF.INET, SOCK.DGRAM | SOCK.CLOEXEC, 0])
  try {
    sys('ioctl', [fd, number, request.address])
  } finally {
    closeFd(fd)
  }
}
