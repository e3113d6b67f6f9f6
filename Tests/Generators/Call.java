import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import org.openapitools.client.ApiClient;
import org.openapitools.client.api.KernelsApi;
import org.openapitools.client.model.KernelRequest;

/** Calls a server with a client that openapi-generator made in Java: Call URL */
public class Call {
    private static final String QUESTION =
        "{\"architecture\":{\"type\":\"mlp\",\"depth\":1,\"activation\":\"erf\",\"b_std\":0.1},\"x1\":[[1,0.5],[2,3]],\"kinds\":[\"ntk\",\"nngp\"]}";

    public static void main(String[] arguments) throws Exception {
        ApiClient client = new ApiClient();
        client.updateBaseUri(arguments[0]);
        // By what a union's members do not have they are told from one another.
        ObjectMapper mapper = client.getObjectMapper().enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES);
        client.setObjectMapper(mapper);
        Object answer = new KernelsApi(client).computeKernels(mapper.readValue(QUESTION, KernelRequest.class), null, null, null, null, null);
        JsonNode came = mapper.readTree(mapper.writeValueAsString(answer));
        HttpRequest request = HttpRequest.newBuilder(URI.create(arguments[0] + "/v1/kernels"))
            .header("Content-Type", "application/json").POST(HttpRequest.BodyPublishers.ofString(QUESTION)).build();
        JsonNode plain = mapper.readTree(HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString()).body());
        for (String kind : new String[] {"ntk", "nngp"}) {
            if (!plain.has(kind) || !plain.get(kind).equals(came.get(kind))) throw new AssertionError(came + " in place of " + plain);
        }
        System.out.println("Java: the kernel is that of a plain request");
    }
}
