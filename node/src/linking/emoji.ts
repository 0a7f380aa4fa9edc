// The six emoji that two people compare, or one person on two screens: 36 bits, one list for all languages, with a
// name for whoever reads them out. Chosen to look unlike each other, and to be one code point each, so that no
// terminal draws them differently.

export interface Emoji {
  readonly symbol: string
  readonly name: string
}

/** Six out of 64: a forger who may try once succeeds once in 69 thousand million. */
export const EMOJI_SHOWN = 6

const LIST =
  '🐶 dog,🐱 cat,🦁 lion,🐴 horse,🦄 unicorn,🐷 pig,🐘 elephant,🐰 rabbit,' +
  '🐼 panda,🐓 rooster,🐧 penguin,🐢 turtle,🐟 fish,🐙 octopus,🦋 butterfly,🌷 tulip,' +
  '🌳 tree,🌵 cactus,🍄 mushroom,🌍 globe,🌙 moon,🌈 rainbow,🔥 fire,🍌 banana,' +
  '🍎 apple,🍓 strawberry,🌽 corn,🍕 pizza,🎂 cake,💙 heart,😀 smile,🤖 robot,' +
  '🎩 hat,👓 glasses,🔧 spanner,🎅 santa,👍 thumb,☔ umbrella,⌛ hourglass,⏰ clock,' +
  '🎁 gift,💡 lamp,📕 book,🎈 balloon,📎 paperclip,🧹 broom,🔒 lock,🔑 key,' +
  '🔨 hammer,📱 phone,🏁 flag,🚂 train,🚲 bicycle,🚢 ship,🚀 rocket,🏆 trophy,' +
  '⚽ ball,🎸 guitar,🎺 trumpet,🔔 bell,⚓ anchor,🎧 headphones,📁 folder,📌 pin'

/** All 64. Positions are part of the protocol. */
export const EMOJI: readonly Emoji[] = LIST.split(',').map((entry) => {
  const [symbol = '', name = ''] = entry.split(' ')
  return { symbol, name }
})

/** One emoji a byte, by its six low bits. */
export function emojiOf(bytes: Uint8Array): readonly Emoji[] {
  return [...bytes].map((byte) => EMOJI[byte % EMOJI.length] as Emoji)
}
