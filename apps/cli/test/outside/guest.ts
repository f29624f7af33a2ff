import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'

/** A kernel a guest can boot, and where its modules lie. */
export interface GuestKernel {
  readonly image: string
  readonly modules: string
}

/** virtio-net and what it needs, in the order they load. */
const MODULES = [
  'drivers/virtio/virtio_ring',
  'drivers/virtio/virtio',
  'drivers/virtio/virtio_pci_legacy_dev',
  'drivers/virtio/virtio_pci_modern_dev',
  'drivers/virtio/virtio_pci',
  'net/core/failover',
  'drivers/net/net_failover',
  'drivers/net/virtio_net',
]

/**
 * The kernel to boot: the newest of /boot, or that of a Debian kernel package unpacked into the folder
 * VNET_GUEST_KERNEL. Null when there is none, or no busybox to put beside it.
 */
export function guestKernel(): GuestKernel | null {
  const root = process.env['VNET_GUEST_KERNEL'] ?? '/'
  const boot = join(root, 'boot')
  if (!existsSync(boot) || !existsSync('/bin/busybox')) return null
  const images = readdirSync(boot)
    .filter((file) => file.startsWith('vmlinuz-'))
    .sort()
  for (const image of images.reverse()) {
    const modules = join(root, 'lib/modules', image.slice('vmlinuz-'.length), 'kernel')
    if (existsSync(join(modules, 'drivers/net/virtio_net.ko'))) return { image: join(boot, image), modules }
  }
  return null
}

const INIT = `#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
for m in ${MODULES.map((module) => module.replace(/.*\//, '')).join(' ')}; do
  [ -f /mod/$m.ko ] && /bin/busybox insmod /mod/$m.ko
done
/bin/busybox ip addr add 10.0.0.2/24 dev eth0
/bin/busybox ip link set eth0 up
echo guest: ready
/bin/busybox ping -c 3 -i 1 10.0.0.1
echo guest: pinged
while :; do /bin/busybox sleep 1; done
`

/** Makes the guest's whole file system: busybox, virtio-net and a script. @returns the file */
export function buildGuest(kernel: GuestKernel, folder: string): string {
  const archive = new Cpio()
  for (const name of ['bin', 'proc', 'mod', 'dev']) archive.folder(name)
  archive.file('init', Buffer.from(INIT), 0o755)
  archive.fileWithFolders('bin/busybox', readFileSync('/bin/busybox'), 0o755)
  for (const library of libraries('/bin/busybox'))
    archive.fileWithFolders(library.slice(1), readFileSync(library), 0o755)
  for (const module of MODULES) {
    const path = join(kernel.modules, `${module}.ko`)
    if (existsSync(path)) archive.file(`mod/${module.replace(/.*\//, '')}.ko`, readFileSync(path), 0o644)
  }
  const file = join(folder, 'guest.img')
  writeFileSync(file, gzipSync(archive.end()))
  return file
}

/** What a program is linked with; nothing for a static one. */
function libraries(program: string): string[] {
  try {
    return execFileSync('ldd', [program], { encoding: 'utf8' }).match(/\/\S+/g) ?? []
  } catch {
    return []
  }
}

/** An archive as the kernel unpacks it. @kernel Documentation/driver-api/early-userspace/buffer-format.rst */
class Cpio {
  readonly #parts: Buffer[] = []
  readonly #folders = new Set<string>()
  #inode = 1

  folder(name: string): void {
    if (this.#folders.has(name)) return
    this.#folders.add(name)
    this.#entry(name, Buffer.alloc(0), 0o40755)
  }

  fileWithFolders(name: string, bytes: Buffer, mode: number): void {
    const parts = name.split('/')
    for (let i = 1; i < parts.length; i++) this.folder(parts.slice(0, i).join('/'))
    this.file(name, bytes, mode)
  }

  file(name: string, bytes: Buffer, mode: number): void {
    this.#entry(name, bytes, 0o100000 | mode)
  }

  end(): Buffer {
    this.#entry('TRAILER!!!', Buffer.alloc(0), 0)
    return Buffer.concat(this.#parts)
  }

  #entry(name: string, bytes: Buffer, mode: number): void {
    const fields = [this.#inode++, mode, 0, 0, 1, 0, bytes.length, 0, 0, 0, 0, name.length + 1, 0]
    const head = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}${name}\0`
    this.#padded(Buffer.from(head))
    this.#padded(bytes)
  }

  #padded(bytes: Buffer): void {
    this.#parts.push(bytes, Buffer.alloc(-bytes.length & 3))
  }
}
