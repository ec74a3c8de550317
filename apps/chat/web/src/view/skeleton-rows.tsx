/** Shapes of rows that are still being loaded. */
export function SkeletonRows({ count }: { count: number }) {
  return (
    <div className="skeletons" aria-hidden="true">
      {Array.from({ length: count }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: all alike, never reordered
        <div key={index} className="skeleton-row">
          <span className="skeleton skeleton-face" />
          <span className="skeleton skeleton-text" />
        </div>
      ))}
    </div>
  )
}
