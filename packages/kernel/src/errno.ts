/**
 * Error numbers and their texts.
 */

/** Every error name this kernel uses, with its positive number, as in Linux on x86. @kernel errno include/uapi/asm-generic/errno-base.h */
export const ERRNO = {
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 3,
  EINTR: 4,
  EIO: 5,
  ENXIO: 6,
  E2BIG: 7,
  ENOEXEC: 8,
  EBADF: 9,
  ECHILD: 10,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EFAULT: 14,
  ENOTBLK: 15,
  EBUSY: 16,
  EEXIST: 17,
  EXDEV: 18,
  ENODEV: 19,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  ENFILE: 23,
  EMFILE: 24,
  ENOTTY: 25,
  ETXTBSY: 26,
  EFBIG: 27,
  ENOSPC: 28,
  ESPIPE: 29,
  EROFS: 30,
  EMLINK: 31,
  EPIPE: 32,
  EDOM: 33,
  ERANGE: 34,
  EDEADLK: 35,
  ENAMETOOLONG: 36,
  ENOSYS: 38,
  ENOTEMPTY: 39,
  ELOOP: 40,
  EWOULDBLOCK: 11,
  ENOMSG: 42,
  ENODATA: 61,
  ETIME: 62,
  ENONET: 64,
  ENOLINK: 67,
  ECOMM: 70,
  EPROTO: 71,
  EBADMSG: 74,
  EOVERFLOW: 75,
  ENOTUNIQ: 76,
  EILSEQ: 84,
  EUSERS: 87,
  ENOTSOCK: 88,
  EDESTADDRREQ: 89,
  EMSGSIZE: 90,
  EPROTOTYPE: 91,
  ENOPROTOOPT: 92,
  EPROTONOSUPPORT: 93,
  ESOCKTNOSUPPORT: 94,
  EOPNOTSUPP: 95,
  EPFNOSUPPORT: 96,
  EAFNOSUPPORT: 97,
  EADDRINUSE: 98,
  EADDRNOTAVAIL: 99,
  ENETDOWN: 100,
  ENETUNREACH: 101,
  ENETRESET: 102,
  ECONNABORTED: 103,
  ECONNRESET: 104,
  ENOBUFS: 105,
  EISCONN: 106,
  ENOTCONN: 107,
  ESHUTDOWN: 108,
  ETIMEDOUT: 110,
  ECONNREFUSED: 111,
  EHOSTDOWN: 112,
  EHOSTUNREACH: 113,
  EALREADY: 114,
  EINPROGRESS: 115,
  ECANCELED: 125,
} as const satisfies Record<string, number>

/** The name of an error: `'EINVAL'`. */
export type ErrnoName = keyof typeof ERRNO

const TEXT: Readonly<Record<number, string>> = {
  0: 'Success',
  1: 'Operation not permitted',
  2: 'No such file or directory',
  3: 'No such process',
  4: 'Interrupted system call',
  5: 'Input/output error',
  6: 'No such device or address',
  7: 'Argument list too long',
  8: 'Exec format error',
  9: 'Bad file descriptor',
  10: 'No child processes',
  11: 'Resource temporarily unavailable',
  12: 'Cannot allocate memory',
  13: 'Permission denied',
  14: 'Bad address',
  15: 'Block device required',
  16: 'Device or resource busy',
  17: 'File exists',
  18: 'Invalid cross-device link',
  19: 'No such device',
  20: 'Not a directory',
  21: 'Is a directory',
  22: 'Invalid argument',
  23: 'Too many open files in system',
  24: 'Too many open files',
  25: 'Inappropriate ioctl for device',
  26: 'Text file busy',
  27: 'File too large',
  28: 'No space left on device',
  29: 'Illegal seek',
  30: 'Read-only file system',
  31: 'Too many links',
  32: 'Broken pipe',
  33: 'Numerical argument out of domain',
  34: 'Numerical result out of range',
  35: 'Resource deadlock avoided',
  36: 'File name too long',
  38: 'Function not implemented',
  39: 'Directory not empty',
  40: 'Too many levels of symbolic links',
  42: 'No message of desired type',
  61: 'No data available',
  62: 'Timer expired',
  64: 'Machine is not on the network',
  67: 'Link has been severed',
  70: 'Communication error on send',
  71: 'Protocol error',
  74: 'Bad message',
  75: 'Value too large for defined data type',
  76: 'Name not unique on network',
  84: 'Invalid or incomplete multibyte or wide character',
  87: 'Too many users',
  88: 'Socket operation on non-socket',
  89: 'Destination address required',
  90: 'Message too long',
  91: 'Protocol wrong type for socket',
  92: 'Protocol not available',
  93: 'Protocol not supported',
  94: 'Socket type not supported',
  95: 'Operation not supported',
  96: 'Protocol family not supported',
  97: 'Address family not supported by protocol',
  98: 'Address already in use',
  99: 'Cannot assign requested address',
  100: 'Network is down',
  101: 'Network is unreachable',
  102: 'Network dropped connection on reset',
  103: 'Software caused connection abort',
  104: 'Connection reset by peer',
  105: 'No buffer space available',
  106: 'Transport endpoint is already connected',
  107: 'Transport endpoint is not connected',
  108: 'Cannot send after transport endpoint shutdown',
  110: 'Connection timed out',
  111: 'Connection refused',
  112: 'Host is down',
  113: 'No route to host',
  114: 'Operation already in progress',
  115: 'Operation now in progress',
  125: 'Operation canceled',
}

/**
 * The sentence a C library prints for an error, by name or by number of either sign.
 *
 * A number nobody knows gives `Unknown error N`.
 *
 * @kernel none
 */
export function strerror(codeOrNumber: ErrnoName | number): string {
  const number = typeof codeOrNumber === 'number' ? Math.abs(codeOrNumber) : ERRNO[codeOrNumber]
  return TEXT[number] ?? `Unknown error ${number}`
}

/**
 * The name of an error number of either sign, or undefined when there is none. 11 is `EAGAIN`.
 *
 * @kernel none
 */
export function errnoName(number: number): ErrnoName | undefined {
  const wanted = Math.abs(number)
  for (const [name, value] of Object.entries(ERRNO)) if (value === wanted) return name as ErrnoName
  return undefined
}

/**
 * A refusal on the control path: what a system call would return, and why.
 *
 * `message` is the sentence for a person, or the plain text of the error when nobody gave one.
 *
 * @kernel struct netlink_ext_ack include/linux/netlink.h
 */
export class Errno extends Error {
  /** The name: `'EINVAL'`. */
  readonly code: ErrnoName
  /** The negative number: -22. */
  readonly errno: number
  /** The attribute at fault, in the caller's words (`'rx'`), if there is one. */
  readonly badAttr: string | undefined
  /** The sentence for the person who asked, if the refuser gave one. */
  readonly extack: string | undefined

  constructor(code: ErrnoName, message?: string, badAttr?: string) {
    super(message ?? strerror(code))
    this.name = 'Errno'
    this.code = code
    this.errno = -ERRNO[code]
    this.badAttr = badAttr
    this.extack = message
  }
}
