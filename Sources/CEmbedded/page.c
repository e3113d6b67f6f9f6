#include "embedded.h"

// The files of page/, one array each.

static const unsigned char api_js[] = {
#embed "page/api.js"
};

static const unsigned char architecture_js[] = {
#embed "page/architecture.js"
};

static const unsigned char axes_js[] = {
#embed "page/axes.js"
};

static const unsigned char base_css[] = {
#embed "page/base.css"
};

static const unsigned char colours_js[] = {
#embed "page/colours.js"
};

static const unsigned char controls_js[] = {
#embed "page/controls.js"
};

static const unsigned char convergence_js[] = {
#embed "page/convergence.js"
};

static const unsigned char curl_js[] = {
#embed "page/curl.js"
};

static const unsigned char docs_operation_js[] = {
#embed "page/docs-operation.js"
};

static const unsigned char docs_schema_js[] = {
#embed "page/docs-schema.js"
};

static const unsigned char docs_text_js[] = {
#embed "page/docs-text.js"
};

static const unsigned char docs_css[] = {
#embed "page/docs.css"
};

static const unsigned char docs_html[] = {
#embed "page/docs.html"
};

static const unsigned char docs_js[] = {
#embed "page/docs.js"
};

static const unsigned char editor_js[] = {
#embed "page/editor.js"
};

static const unsigned char finite_js[] = {
#embed "page/finite.js"
};

static const unsigned char icon_svg[] = {
#embed "page/icon.svg"
};

static const unsigned char index_html[] = {
#embed "page/index.html"
};

static const unsigned char influence_js[] = {
#embed "page/influence.js"
};

static const unsigned char kernel_js[] = {
#embed "page/kernel.js"
};

static const unsigned char key_js[] = {
#embed "page/key.js"
};

static const unsigned char layers_js[] = {
#embed "page/layers.js"
};

static const unsigned char learning_js[] = {
#embed "page/learning.js"
};

static const unsigned char link_js[] = {
#embed "page/link.js"
};

static const unsigned char main_js[] = {
#embed "page/main.js"
};

static const unsigned char own_js[] = {
#embed "page/own.js"
};

static const unsigned char page_css[] = {
#embed "page/page.css"
};

static const unsigned char plot_css[] = {
#embed "page/plot.css"
};

static const unsigned char pointer_js[] = {
#embed "page/pointer.js"
};

static const unsigned char points_js[] = {
#embed "page/points.js"
};

static const unsigned char predictions_js[] = {
#embed "page/predictions.js"
};

static const unsigned char scale_js[] = {
#embed "page/scale.js"
};

static const unsigned char spectrum_js[] = {
#embed "page/spectrum.js"
};

static const unsigned char state_js[] = {
#embed "page/state.js"
};

static const unsigned char svg_js[] = {
#embed "page/svg.js"
};

static const unsigned char theme_js[] = {
#embed "page/theme.js"
};

static const unsigned char training_js[] = {
#embed "page/training.js"
};

static const unsigned char view_js[] = {
#embed "page/view.js"
};

#define HTML "text/html; charset=utf-8"
#define STYLE "text/css; charset=utf-8"
#define SCRIPT "text/javascript; charset=utf-8"
#define IMAGE "image/svg+xml"
#define FILE(name, type, array) {name, type, array, sizeof array}

static const ntk_page_file files[] = {
    FILE("api.js", SCRIPT, api_js),
    FILE("architecture.js", SCRIPT, architecture_js),
    FILE("axes.js", SCRIPT, axes_js),
    FILE("base.css", STYLE, base_css),
    FILE("colours.js", SCRIPT, colours_js),
    FILE("controls.js", SCRIPT, controls_js),
    FILE("convergence.js", SCRIPT, convergence_js),
    FILE("curl.js", SCRIPT, curl_js),
    FILE("docs-operation.js", SCRIPT, docs_operation_js),
    FILE("docs-schema.js", SCRIPT, docs_schema_js),
    FILE("docs-text.js", SCRIPT, docs_text_js),
    FILE("docs.css", STYLE, docs_css),
    FILE("docs.html", HTML, docs_html),
    FILE("docs.js", SCRIPT, docs_js),
    FILE("editor.js", SCRIPT, editor_js),
    FILE("finite.js", SCRIPT, finite_js),
    FILE("icon.svg", IMAGE, icon_svg),
    FILE("index.html", HTML, index_html),
    FILE("influence.js", SCRIPT, influence_js),
    FILE("kernel.js", SCRIPT, kernel_js),
    FILE("key.js", SCRIPT, key_js),
    FILE("layers.js", SCRIPT, layers_js),
    FILE("learning.js", SCRIPT, learning_js),
    FILE("link.js", SCRIPT, link_js),
    FILE("main.js", SCRIPT, main_js),
    FILE("own.js", SCRIPT, own_js),
    FILE("page.css", STYLE, page_css),
    FILE("plot.css", STYLE, plot_css),
    FILE("pointer.js", SCRIPT, pointer_js),
    FILE("points.js", SCRIPT, points_js),
    FILE("predictions.js", SCRIPT, predictions_js),
    FILE("scale.js", SCRIPT, scale_js),
    FILE("spectrum.js", SCRIPT, spectrum_js),
    FILE("state.js", SCRIPT, state_js),
    FILE("svg.js", SCRIPT, svg_js),
    FILE("theme.js", SCRIPT, theme_js),
    FILE("training.js", SCRIPT, training_js),
    FILE("view.js", SCRIPT, view_js),
};

const ntk_page_file *ntk_page_files(void) { return files; }
const size_t ntk_page_file_count = sizeof files / sizeof files[0];
