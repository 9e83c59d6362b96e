// NewMessage.exe URL LOGIN PASSWORD TICKET TEXT [FILE]: adds a message by the old endpoint, in its XML.
using System;
using System.IO;
using System.Linq;
using System.Net;
using System.Text;
using System.Xml.Linq;

static class NewMessage {
  static readonly XNamespace posts =
    "http://schemas.datacontract.org/2004/07/RequestorApiDataStructures.Posts";
  static readonly XNamespace data =
    "http://schemas.datacontract.org/2004/07/RequestorApiDataStructures.DataStructures";

  // DataContractSerializer wants the members in the order of their names.
  static XElement Attachment(string file) {
    return new XElement(data + "NewAttachment",
      new XElement(data + "ContentType", "application/octet-stream"),
      new XElement(data + "Data", Convert.ToBase64String(File.ReadAllBytes(file))),
      new XElement(data + "FileName", Path.GetFileName(file)));
  }

  static int Main(string[] arguments) {
    if (arguments.Length < 5) {
      Console.Error.WriteLine("NewMessage.exe URL LOGIN PASSWORD TICKET TEXT [FILE]");
      return 2;
    }
    var post = new XElement(posts + "NewMessagePost",
      new XElement(posts + "Attachments", arguments.Skip(5).Select(Attachment)),
      new XElement(posts + "Message", arguments[4]),
      new XElement(posts + "TicketREF", arguments[3]));
    using (var client = new WebClient()) {
      client.Encoding = Encoding.UTF8;
      client.Headers["Content-Type"] = "application/xml; charset=utf-8";
      client.Headers["Authorization"] = "Basic " +
        Convert.ToBase64String(Encoding.UTF8.GetBytes(arguments[1] + ":" + arguments[2]));
      // New: the same key again adds nothing, so that a call may be repeated.
      client.Headers["Idempotency-Key"] = Guid.NewGuid().ToString();
      try {
        var address = arguments[0].TrimEnd('/') + "/api/Tickets/NewMessage";
        var answer = client.UploadString(address, post.ToString());
        Console.WriteLine(XElement.Parse(answer).Value);
        return 0;
      } catch (WebException error) {
        if (error.Response == null) {
          Console.Error.WriteLine(arguments[0] + " does not answer: " + error.Message);
          return 1;
        }
        Console.Error.WriteLine((int) ((HttpWebResponse) error.Response).StatusCode + " " +
          new StreamReader(error.Response.GetResponseStream()).ReadToEnd());
        return 1;
      }
    }
  }
}
