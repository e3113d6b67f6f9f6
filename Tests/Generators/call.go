// Calls a server with a client that openapi-generator made in Go: call URL
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"reflect"

	client "ntk_generated"
)

const question = `{"architecture":{"type":"mlp","depth":1,"activation":"erf","b_std":0.1},"x1":[[1,0.5],[2,3]],"kinds":["ntk","nngp"]}`

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	url := os.Args[1]
	configuration := client.NewConfiguration()
	configuration.Servers = client.ServerConfigurations{{URL: url}}
	var request client.KernelRequest
	check(json.Unmarshal([]byte(question), &request))
	answer, _, err := client.NewAPIClient(configuration).KernelsAPI.ComputeKernels(context.Background()).KernelRequest(request).Execute()
	check(err)
	response, err := http.Post(url+"/v1/kernels", "application/json", bytes.NewReader([]byte(question)))
	check(err)
	var plain, came map[string]any
	check(json.NewDecoder(response.Body).Decode(&plain))
	text, err := json.Marshal(answer)
	check(err)
	check(json.Unmarshal(text, &came))
	for _, kind := range []string{"ntk", "nngp"} {
		if plain[kind] == nil || !reflect.DeepEqual(came[kind], plain[kind]) {
			check(fmt.Errorf("%s in place of %v", text, plain))
		}
	}
	fmt.Println("Go: the kernel is that of a plain request")
}
