import type { Person } from '../../../contracts/people.ts'

/** Number of colours in `style/avatar.css`. */
const colours = 10

const letters = new Intl.Segmenter('en', { granularity: 'grapheme' })

/** The face of somebody: the first letters of the nickname on a colour of their own. */
export function Avatar(props: { person: Person; online?: boolean; size?: 'small' | 'large' }) {
  const { person, online, size = 'large' } = props
  return (
    <span className={`avatar avatar-${size} avatar-${colourOf(person.id)}`} aria-hidden="true">
      {initialsOf(person.nickname)}
      {online === undefined ? null : <span className={online ? 'dot dot-online' : 'dot'} />}
    </span>
  )
}

function colourOf(id: string): number {
  let sum = 0
  for (const character of id) sum = (sum * 31 + character.charCodeAt(0)) % 65_521
  return sum % colours
}

function initialsOf(nickname: string): string {
  const words = nickname.split(/\s+/).filter((word) => word !== '')
  return [words[0], words.length > 1 ? words.at(-1) : undefined]
    .map((word = '') => [...letters.segment(word)][0]?.segment ?? '')
    .join('')
    .toUpperCase()
}
