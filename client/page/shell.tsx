// What both pages stand in: the theme, the header with the name and the light switch, the main landmark.

import { IconButton, Theme, Tooltip } from '@radix-ui/themes';
import type { ReactNode } from 'react';
import { Icon } from './icons.tsx';
import { Logo } from './logo.tsx';
import { useStore } from './store.ts';
import { theme, toggleAppearance } from './theme.ts';

interface ShellProps {
  readonly page: 'volunteer' | 'dashboard';
  /** Beside the name, in the header. */
  readonly aside?: ReactNode;
  readonly children: ReactNode;
}

export function Shell({ page, aside, children }: ShellProps) {
  const appearance = useStore(theme, (state) => state.appearance);
  return (
    <Theme
      appearance={appearance}
      accentColor="teal"
      grayColor="slate"
      panelBackground="solid"
      radius="medium"
      className={`page page-${page}`}
    >
      <a className="skip" href="#main">
        Skip to the content
      </a>
      <header className="banner">
        <div className="frame banner-row">
          <a className="brand" href={page === 'dashboard' ? '/admin' : '/'}>
            <Logo />
            <span>Murmuration</span>
          </a>
          <div className="banner-aside">{aside}</div>
          <Tooltip content={appearance === 'dark' ? 'Light' : 'Dark'}>
            <IconButton
              variant="ghost"
              color="gray"
              size="2"
              aria-label={appearance === 'dark' ? 'Change to light colours' : 'Change to dark colours'}
              onClick={toggleAppearance}
            >
              <Icon name={appearance === 'dark' ? 'sun' : 'moon'} />
            </IconButton>
          </Tooltip>
        </div>
      </header>
      <main id="main" className="frame" tabIndex={-1}>
        {children}
      </main>
    </Theme>
  );
}
