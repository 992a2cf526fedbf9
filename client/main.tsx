// Where both pages begin. `/admin` is the operator's dashboard, every other path the volunteer's page; each is loaded
// alone, so a volunteer never downloads the charts.

import '@radix-ui/themes/tokens/base.css';
import '@radix-ui/themes/tokens/colors/slate.css';
import '@radix-ui/themes/tokens/colors/teal.css';
import '@radix-ui/themes/tokens/colors/amber.css';
import '@radix-ui/themes/tokens/colors/red.css';
import '@radix-ui/themes/components.css';
import '@radix-ui/themes/layout.css';
import '@radix-ui/themes/utilities.css';
import './page/page.css';
import { createRoot } from 'react-dom/client';

const root = createRoot(document.getElementById('root')!);

const { default: Page } = /^\/admin\/?$/.test(location.pathname)
  ? await import('./dashboard/dashboard.tsx')
  : await import('./volunteer/volunteer.tsx');

root.render(<Page />);
