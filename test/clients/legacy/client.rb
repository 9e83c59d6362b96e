# ruby client.rb URL MODE FILE TYPE: sends FILE, prints the status and the answer.
require 'net/http'
url, mode, file, type = ARGV
uri = URI(url)
headers = { 'Content-Type' => type }
make = lambda do |signed|
  request = Net::HTTP::Post.new(uri, headers)
  request.basic_auth('operator', 'operator') if signed
  request['Expect'] = '100-continue' if mode == 'expect'
  if mode == 'big'
    request['Transfer-Encoding'] = 'chunked'
    request.body_stream = File.open(file, 'rb')
  elsif mode == 'expect'
    request.content_length = File.size(file)
    request.body_stream = File.open(file, 'rb')
  else
    request.body = File.binread(file)
  end
  request
end
answer = Net::HTTP.start(uri.host, uri.port, continue_timeout: 10) do |http|
  first = http.request(make.call(!%w[challenge expect].include?(mode)))
  challenged = first.code == '401' && first['WWW-Authenticate']&.start_with?('Basic')
  challenged ? http.request(make.call(true)) : first
end
print answer.code, ' ', answer.body
