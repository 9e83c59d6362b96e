using System;
using System.IO;
using System.Net;
using System.Net.Http;
using System.Net.Http.Headers;
using System.Text;

/// mono client.exe LIBRARY URL MODE FILE TYPE: sends FILE, prints the status and the answer.
static class Client {
  static void Main(string[] arguments) {
    string url = arguments[1], mode = arguments[2], file = arguments[3], type = arguments[4];
    if (arguments[0] == "request") ByRequest(url, mode, file, type);
    else ByClient(url, mode, file, type);
  }

  static bool Challenged(string mode) { return mode == "challenge" || mode == "expect"; }
  static readonly string signed =
    "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes("operator:operator"));

  static void ByRequest(string url, string mode, string file, string type) {
    var request = (HttpWebRequest) WebRequest.Create(url);
    request.Method = "POST";
    request.ContentType = type;
    request.ServicePoint.Expect100Continue = mode == "expect";
    if (Challenged(mode)) request.Credentials = new NetworkCredential("operator", "operator");
    else request.Headers["Authorization"] = signed;
    if (mode == "big") { request.SendChunked = true; request.AllowWriteStreamBuffering = false; }
    using (var body = request.GetRequestStream()) using (var from = File.OpenRead(file)) from.CopyTo(body);
    HttpWebResponse response;
    try { response = (HttpWebResponse) request.GetResponse(); }
    catch (WebException error) {
      if (error.Response == null) throw;
      response = (HttpWebResponse) error.Response;
    }
    var text = new StreamReader(response.GetResponseStream()).ReadToEnd();
    Console.WriteLine((int) response.StatusCode + " " + text);
  }

  static void ByClient(string url, string mode, string file, string type) {
    var handler = new HttpClientHandler();
    if (Challenged(mode)) handler.Credentials = new NetworkCredential("operator", "operator");
    using (var client = new HttpClient(handler)) {
      var request = new HttpRequestMessage(HttpMethod.Post, url);
      if (!Challenged(mode)) request.Headers.Authorization = AuthenticationHeaderValue.Parse(signed);
      request.Headers.ExpectContinue = mode == "expect";
      if (mode == "big") {
        request.Content = new StreamContent(File.OpenRead(file));
        request.Headers.TransferEncodingChunked = true;
      } else request.Content = new ByteArrayContent(File.ReadAllBytes(file));
      request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
      var response = client.SendAsync(request).Result;
      Console.WriteLine((int) response.StatusCode + " " + response.Content.ReadAsStringAsync().Result);
    }
  }
}
