import { type RefObject, useLayoutEffect } from 'react'

/** Height up to which the box grows with its text, in pixels. */
const maxHeight = 168

/** Lets a text box be as high as its text. */
export function useGrowingBox(box: RefObject<HTMLTextAreaElement | null>, text: string): void {
  // biome-ignore lint/correctness/useExhaustiveDependencies: the height follows from the text
  useLayoutEffect(() => {
    const { current } = box
    if (current === null) return
    current.style.height = 'auto'
    current.style.height = `${Math.min(current.scrollHeight, maxHeight)}px`
  }, [text])
}
