import { Errno } from '@vnet/kernel'
import { attribute, staticDir } from '../vfs/dirs.ts'
import type { VfsDir } from '../vfs/node.ts'

/** A setting of two words, of which the first is on at the start. */
function word(words: readonly [string, string]): ReturnType<typeof attribute> {
  return attribute(
    () => `${words[0]}\n`,
    (text) => {
      if (!words.includes(text.trim())) throw new Errno('EINVAL')
    },
  )
}

/** `power`: no device here sleeps, and these say so. @kernel power_attrs[] drivers/base/power/sysfs.c */
export function powerDir(): VfsDir {
  return staticDir({
    async: word(['disabled', 'enabled']),
    autosuspend_delay_ms: attribute(notUsed, notUsed),
    control: word(['auto', 'on']),
    runtime_active_kids: attribute(() => '0\n'),
    runtime_active_time: attribute(() => '0\n'),
    runtime_enabled: attribute(() => 'disabled\n'),
    runtime_status: attribute(() => 'unsupported\n'),
    runtime_suspended_time: attribute(() => '0\n'),
    runtime_usage: attribute(() => '0\n'),
  })
}

/** @kernel autosuspend_delay_ms_show() drivers/base/power/sysfs.c */
function notUsed(): never {
  throw new Errno('EIO')
}
