/** How far an own message has come, from this device to the eyes of the other side. */
export type Mark = 'sending' | 'stored' | 'delivered' | 'read' | 'failed'

const names: Record<Mark, string> = {
  sending: 'Sending',
  stored: 'Stored',
  delivered: 'Delivered',
  read: 'Read',
  failed: 'Not sent',
}

const shapes: Record<Mark, string> = {
  sending: 'M10 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11zM10 5v3.2l2.2 1.3',
  stored: 'M5.5 8.5l3 3 6-7',
  delivered: 'M2 8.5l3 3 6-7M9.5 10.8l.8.7 6-7',
  read: 'M2 8.5l3 3 6-7M9.5 10.8l.8.7 6-7',
  failed: 'M10 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11zM10 5v3.5M10 11v.1',
}

/** A clock, one tick, two ticks, or two ticks in colour. */
export function Ticks({ mark }: { mark: Mark }) {
  return (
    <svg className={`ticks ticks-${mark}`} viewBox="0 0 18 16" role="img" aria-label={names[mark]}>
      <path d={shapes[mark]} />
    </svg>
  )
}
