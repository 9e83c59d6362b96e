import java.io.InputStream;
import java.net.Authenticator;
import java.net.HttpURLConnection;
import java.net.PasswordAuthentication;
import java.net.URI;
import java.net.URL;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import org.apache.http.auth.AuthScope;
import org.apache.http.auth.UsernamePasswordCredentials;
import org.apache.http.client.config.RequestConfig;
import org.apache.http.client.methods.HttpPost;
import org.apache.http.entity.InputStreamEntity;
import org.apache.http.impl.client.BasicCredentialsProvider;
import org.apache.http.impl.client.HttpClients;
import org.apache.http.util.EntityUtils;

/** java Client.java LIBRARY URL MODE FILE TYPE: sends FILE, prints the status and the answer. */
public class Client {
    public static void main(String[] arguments) throws Exception {
        String url = arguments[1], mode = arguments[2], type = arguments[4];
        Path file = Path.of(arguments[3]);
        switch (arguments[0]) {
            case "url" -> url(url, mode, file, type);
            case "jdk" -> jdk(url, mode, file, type);
            default -> apache(url, mode, file, type);
        }
    }

    static final String signed =
        "Basic " + Base64.getEncoder().encodeToString("operator:operator".getBytes());
    static final Authenticator authenticator = new Authenticator() {
        protected PasswordAuthentication getPasswordAuthentication() {
            return new PasswordAuthentication("operator", "operator".toCharArray());
        }
    };

    static void url(String url, String mode, Path file, String type) throws Exception {
        HttpURLConnection connection = (HttpURLConnection) new URL(url).openConnection();
        connection.setRequestMethod("POST");
        connection.setDoOutput(true);
        connection.setRequestProperty("Content-Type", type);
        if (mode.equals("challenge")) connection.setAuthenticator(authenticator);
        else connection.setRequestProperty("Authorization", signed);
        if (mode.equals("expect")) {
            connection.setRequestProperty("Expect", "100-continue");
            connection.setFixedLengthStreamingMode(Files.size(file));
        }
        if (mode.equals("big")) connection.setChunkedStreamingMode(0);
        try (var out = connection.getOutputStream()) {
            Files.copy(file, out);
        }
        int status = connection.getResponseCode();
        try (InputStream in = status < 400 ? connection.getInputStream() : connection.getErrorStream()) {
            System.out.println(status + " " + new String(in.readAllBytes(), "UTF-8"));
        }
    }

    static void jdk(String url, String mode, Path file, String type) throws Exception {
        // With Expect, JDK 17 waits for ever for any answer but 100 (JDK-8286171): it signs in at once.
        boolean first = mode.equals("challenge");
        var request = HttpRequest.newBuilder(URI.create(url)).header("Content-Type", type)
            .expectContinue(mode.equals("expect"));
        if (!first) request.header("Authorization", signed);
        request.POST(mode.equals("big")
            ? HttpRequest.BodyPublishers.ofInputStream(() -> open(file))
            : HttpRequest.BodyPublishers.ofFile(file));
        var client = HttpClient.newBuilder();
        if (first) client.authenticator(authenticator);
        var answer = client.build().send(request.build(), HttpResponse.BodyHandlers.ofString());
        System.out.println(answer.statusCode() + " " + answer.body());
    }

    static InputStream open(Path file) {
        try {
            return Files.newInputStream(file);
        } catch (java.io.IOException error) {
            throw new java.io.UncheckedIOException(error);
        }
    }

    static void apache(String url, String mode, Path file, String type) throws Exception {
        var credentials = new BasicCredentialsProvider();
        credentials.setCredentials(AuthScope.ANY, new UsernamePasswordCredentials("operator", "operator"));
        boolean first = mode.equals("challenge") || mode.equals("expect");
        var config = RequestConfig.custom().setExpectContinueEnabled(mode.equals("expect")).build();
        var builder = HttpClients.custom().setDefaultRequestConfig(config);
        if (first) builder.setDefaultCredentialsProvider(credentials);
        try (var client = builder.build(); InputStream in = open(file)) {
            HttpPost post = new HttpPost(url);
            post.setHeader("Content-Type", type);
            if (!first) post.setHeader("Authorization", signed);
            // A stream can be sent once: whoever is challenged behind it has lost it.
            var stream = new InputStreamEntity(in, mode.equals("expect") ? Files.size(file) : -1);
            stream.setContentEncoding("UTF-8");
            stream.setChunked(mode.equals("big"));
            var whole = new org.apache.http.entity.ByteArrayEntity(Files.readAllBytes(file));
            whole.setContentEncoding("UTF-8");
            post.setEntity(mode.equals("big") || mode.equals("expect") ? stream : whole);
            try (var answer = client.execute(post)) {
                var status = answer.getStatusLine().getStatusCode();
                System.out.println(status + " " + EntityUtils.toString(answer.getEntity()));
            }
        }
    }
}
