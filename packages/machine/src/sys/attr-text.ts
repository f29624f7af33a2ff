import { Errno, kstrtoint } from '@vnet/kernel'

/** A number as sysfs prints it. @kernel fmt_dec net/core/net-sysfs.c */
export function dec(value: number | bigint): string {
  return `${value}\n`
}

/** A number as sysfs prints bits. @kernel fmt_hex net/core/net-sysfs.c */
export function hex(value: number): string {
  return `0x${value.toString(16)}\n`
}

/** Reads what was written as an unsigned number; the base shows in its first characters. @throws Errno EINVAL, ERANGE @kernel kstrtoul() include/linux/kstrtox.h */
export function unsigned(text: string, max = Number.MAX_SAFE_INTEGER): number {
  return kstrtoint(text, 0, max)
}

/** Reads a set of CPUs: hexadecimal words with commas. There is one CPU. @throws Errno EINVAL, EOVERFLOW @kernel bitmap_parse() lib/bitmap-str.c */
export function cpumask(text: string): number {
  const words = text.trim().split(',')
  if (!words.every((word) => /^[0-9a-fA-F]{1,8}$/.test(word))) throw new Errno('EINVAL')
  const bits = BigInt(`0x${words.map((word) => word.padStart(8, '0')).join('')}`)
  if (bits > 1n) throw new Errno('EOVERFLOW')
  return Number(bits)
}
