// Devices and links as a user interface sees them.
import type { DeviceId } from '@kith/protocols'

export interface EmojiView {
  readonly symbol: string
  /** In English, one word. */
  readonly name: string
}

export interface DeviceView {
  readonly device: DeviceId
  /** Given by this user on this device, or a part of the id. Not sanitized. */
  readonly name: string
  /** By the clock of the device that added it. */
  readonly addedAtMs: number
  readonly isThis: boolean
}

/** How far a link is, on the device that adds. */
export type LinkView =
  /** Until a device comes with the code, or the code expires. */
  | { readonly state: 'waiting'; readonly code: string; readonly expiresAtMs: number }
  /** Both users compare; `answerLink` says what this one found. */
  | {
      readonly state: 'comparing'
      readonly device: DeviceId
      /** What the new device calls itself. Not sanitized. */
      readonly name: string
      readonly emoji: readonly EmojiView[]
    }
  /** Both found the same: the account takes the device in. */
  | { readonly state: 'adding'; readonly device: DeviceId; readonly name: string }
  | { readonly state: 'linked'; readonly device: DeviceId; readonly name: string }
  | {
      readonly state: 'failed'
      /** As of a UserError. */
      readonly code: string
      readonly message: string
      readonly hint: string | undefined
    }

export interface DevicesApi {
  /** In the order in which they were added. */
  listDevices(): Promise<readonly DeviceView[]>
  /** `device`: name, id, or the end of an id. Known to this device only. */
  renameDevice(options: { device: string; name: string }): Promise<DeviceView>
  /** Takes a device out of the account and of all its chats. */
  removeDevice(options: { device: string }): Promise<DeviceView>
  /** Makes a code and waits behind it; what happens is told as events of type `link`. Ends an earlier link. */
  startLink(options: { passphrase?: string }): Promise<LinkView>
  /** Whether the emoji are the same on both devices. */
  answerLink(options: { isSame: boolean }): Promise<void>
  /** Ends a link that is under way; nothing when there is none. */
  cancelLink(): Promise<void>
}
