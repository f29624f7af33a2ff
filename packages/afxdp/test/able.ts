import { execFileSync } from 'node:child_process'

/** Why AF_XDP cannot be tried here, or null. */
export function why(): string | null {
  if (process.platform !== 'linux') return `AF_XDP is of Linux, this is ${process.platform}`
  if (process.getuid?.() !== 0) return 'AF_XDP needs root'
  try {
    execFileSync('ip', ['-V'], { stdio: 'ignore' })
  } catch {
    return 'no iproute2 to make a namespace with'
  }
  const name = `vnetp${process.pid}`
  try {
    execFileSync(
      'sh',
      ['-c', `ip netns add ${name} && ip -n ${name} link add name xa type veth peer name xb`],
      {
        stdio: 'ignore',
      },
    )
    return null
  } catch {
    return 'namespaces or veth are not to be had here'
  } finally {
    execFileSync('sh', ['-c', `ip netns del ${name} 2>/dev/null || true`])
  }
}
