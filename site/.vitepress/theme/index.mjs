import theme from 'vitepress/theme-without-fonts';
import '../../dist/diagrams.css';
import './style.css';

export default theme;
