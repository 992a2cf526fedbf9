// Icons, drawn on a grid of 16. Decoration: the text beside one, or the control's label, says what it means.

const PATHS = {
  sun: 'M8 4.8a3.2 3.2 0 1 0 0 6.4 3.2 3.2 0 0 0 0-6.4ZM8 .9v1.6M8 13.5v1.6M.9 8h1.6M13.5 8h1.6M3 3l1.1 1.1M11.9 11.9 13 13M3 13l1.1-1.1M11.9 4.1 13 3',
  moon: 'M13.4 9.7A5.9 5.9 0 0 1 6.3 2.6a5.9 5.9 0 1 0 7.1 7.1Z',
  play: 'M4.5 2.8v10.4L13 8 4.5 2.8Z',
  pause: 'M5 3v10M11 3v10',
  stop: 'M3.8 3.8h8.4v8.4H3.8z',
  download: 'M8 2v8.2M4.6 7 8 10.4 11.4 7M2.5 13.5h11',
  copy: 'M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3',
  warning: 'M8 2 14.6 13.5H1.4L8 2ZM8 6.3v3.4M8 11.4v.4',
  info: 'M8 1.8a6.2 6.2 0 1 0 0 12.4A6.2 6.2 0 0 0 8 1.8ZM8 7.2v4M8 4.7v.4',
  chip: 'M4.5 4.5h7v7h-7zM6.2 4.5v-3M9.8 4.5v-3M6.2 14.5v-3M9.8 14.5v-3M4.5 6.2h-3M4.5 9.8h-3M14.5 6.2h-3M14.5 9.8h-3',
  exchange: 'M2 5.5h11M10 2.5l3 3-3 3M14 10.5H3M6 7.5l-3 3 3 3',
  lock: 'M3.5 7.2h9v6.6h-9zM5.3 7.2V5a2.7 2.7 0 0 1 5.4 0v2.2',
  leave: 'M6.5 2.5h-4v11h4M6 8h8M11 5l3 3-3 3',
  people:
    'M6 7.6a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5ZM1.4 13.4c.3-2.5 2.1-3.8 4.6-3.8s4.3 1.3 4.6 3.8M10.6 2.9a2.4 2.4 0 0 1 0 4.4M12 9.9c1.5.6 2.4 1.7 2.6 3.5',
  person: 'M8 7.6a2.9 2.9 0 1 0 0-5.8 2.9 2.9 0 0 0 0 5.8ZM2.6 14.2c.4-3 2.5-4.4 5.4-4.4s5 1.4 5.4 4.4',
  ban: 'M8 1.8a6.2 6.2 0 1 0 0 12.4A6.2 6.2 0 0 0 8 1.8ZM3.7 3.7l8.6 8.6',
  back: 'M5.2 2.6 2 5.8 5.2 9M2.4 5.8h6.4a4.2 4.2 0 0 1 0 8.4H6',
  check: 'M2.8 8.6 6.2 12 13.2 4.4',
  chart: 'M2 2v12h12M4.6 10.4 7.4 7l2.4 2 3.6-4.6',
  key: 'M5.4 14a3.4 3.4 0 1 0 0-6.8 3.4 3.4 0 0 0 0 6.8ZM7.8 8.2 13.6 2.4M10.8 5.2l2.2 2.2',
} as const;
export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg className="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
