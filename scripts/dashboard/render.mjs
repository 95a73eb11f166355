import { annotations, rows, variables } from './definition.mjs';

const datasource = { type: 'prometheus', uid: '${datasource}' };
const where = 'namespace=~"$namespace", job=~"$job", instance=~"$instance"';
const columns = 24;
const heights = { row: 1, stat: 4, timeseries: 8, heatmap: 8, table: 8 };

/** helm/mgateway/files/dashboard.json: the definition as Grafana (10 or later) reads it. */
export function renderDashboard() {
  const dashboard = {
    uid: 'mgateway',
    title: 'mgateway',
    description: 'Traffic, upstreams and configuration of API gateways.',
    tags: ['mgateway'],
    schemaVersion: 39,
    editable: true,
    graphTooltip: 1,
    refresh: '30s',
    time: { from: 'now-1h', to: 'now' },
    timezone: '',
    annotations: { list: annotations.map(annotation) },
    templating: { list: [datasourceVariable, ...variables.map(variable)] },
    links: [],
    panels: layOut(),
  };
  return `${JSON.stringify(dashboard, null, 2)}\n`;
}

const datasourceVariable = {
  name: 'datasource',
  label: 'Data source',
  type: 'datasource',
  query: 'prometheus',
  hide: 0,
  includeAll: false,
  multi: false,
  refresh: 1,
};

function variable({ name, metric }) {
  const query = `label_values(${expand(metric)}, ${name})`;
  return {
    name,
    label: `${name[0].toUpperCase()}${name.slice(1)}`,
    type: 'query',
    datasource,
    definition: query,
    query: { query, refId: name },
    // `.*` also matches where a Prometheus sets no such label.
    allValue: '.*',
    current: { selected: true, text: ['All'], value: ['$__all'] },
    hide: 0,
    includeAll: true,
    multi: true,
    refresh: 2,
    sort: 1,
  };
}

function annotation({ name, color, expr }) {
  return {
    name,
    datasource,
    enable: true,
    hide: false,
    iconColor: color,
    expr: expand(expr),
    step: '1m',
    titleFormat: name,
  };
}

function layOut() {
  const panels = [];
  let y = 0;
  const put = (panel, x, width, height) =>
    panels.push({ id: panels.length + 1, gridPos: { x, y, w: width, h: height }, ...panel });
  for (const row of rows) {
    put({ type: 'row', title: row.title, collapsed: false, panels: [] }, 0, columns, heights.row);
    y += heights.row;
    let x = 0;
    let height = 0;
    for (const panel of row.panels) {
      const type = panel.type ?? 'timeseries';
      if (x + panel.width > columns) {
        y += height;
        x = 0;
      }
      height = heights[type];
      put({ type, ...common(panel, type), ...shapes[type](panel) }, x, panel.width, height);
      x += panel.width;
    }
    y += height;
  }
  return panels;
}

function common({ title, about, series }, type) {
  const asTable = type === 'table';
  return {
    title,
    description: about,
    datasource,
    targets: Object.entries(series).map(([legend, expr], index) => ({
      refId: String.fromCharCode(65 + index),
      datasource,
      expr: expand(expr),
      legendFormat: legend,
      editorMode: 'code',
      format: type === 'heatmap' ? 'heatmap' : asTable ? 'table' : 'time_series',
      range: !asTable && type !== 'stat',
      instant: asTable || type === 'stat',
    })),
  };
}

const shapes = {
  stat: ({ unit = 'short', bad }) => ({
    fieldConfig: {
      defaults: {
        unit,
        color: { mode: 'thresholds' },
        thresholds: {
          mode: 'absolute',
          steps: [
            { color: 'green', value: null },
            ...(bad === undefined ? [] : [{ color: 'red', value: bad }]),
          ],
        },
      },
      overrides: [],
    },
    options: {
      colorMode: 'value',
      graphMode: 'none',
      justifyMode: 'auto',
      orientation: 'auto',
      percentChangeColorMode: 'standard',
      reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
      showPercentChange: false,
      textMode: 'value',
      wideLayout: true,
    },
  }),
  timeseries: ({ unit = 'short', stacked = false }) => ({
    fieldConfig: {
      defaults: {
        unit,
        min: 0,
        color: { mode: 'palette-classic' },
        custom: {
          drawStyle: 'line',
          lineWidth: 1,
          fillOpacity: stacked ? 40 : 5,
          showPoints: 'never',
          stacking: { mode: stacked ? 'normal' : 'none', group: 'A' },
        },
      },
      overrides: [],
    },
    options: {
      legend: { displayMode: 'table', placement: 'bottom', showLegend: true, calcs: ['lastNotNull', 'max'] },
      tooltip: { mode: 'multi', sort: 'desc' },
    },
  }),
  heatmap: ({ unit }) => ({
    fieldConfig: { defaults: { custom: { scaleDistribution: { type: 'linear' } } }, overrides: [] },
    options: {
      calculate: false,
      cellGap: 1,
      color: {
        mode: 'scheme',
        scheme: 'Oranges',
        steps: 64,
        exponent: 0.5,
        fill: 'dark-orange',
        reverse: false,
      },
      legend: { show: true },
      exemplars: { color: 'rgba(255,0,255,0.7)' },
      rowsFrame: { layout: 'auto' },
      showValue: 'never',
      tooltip: { mode: 'single', yHistogram: false, showColorScale: false },
      yAxis: { axisPlacement: 'left', reverse: false, unit },
    },
  }),
  table: ({ columns: shown }) => ({
    fieldConfig: {
      defaults: {
        custom: { align: 'auto', cellOptions: { type: 'auto' }, filterable: true, inspect: false },
      },
      overrides: [],
    },
    options: { cellHeight: 'sm', frameIndex: 0, showHeader: true },
    transformations: [{ id: 'filterFieldsByName', options: { include: { names: shown } } }],
  }),
};

function expand(expr) {
  return expr.replaceAll('WHERE', where).replaceAll('RATE', '$__rate_interval');
}
