// libyaml: openapi.yaml as a tree of nodes.
#pragma once
#include <yaml.h>
