// Adds a field to each response and paces it, as the first sample of GPAC's document does.
// Run: httpout --js guests/js/headers.js media      Ask: curl -i http://127.0.0.1:8080/
import { Sys as sys } from 'gpaccore'

httpout.on_request = function (request)
{
	print("Got request " + JSON.stringify(request));
	request.headers_out.push({name: "x-gpac", value: "foo"});
	//let gpac handle the request
	request.reply=0;
	//throttle the connection, always delaying by 100 us
	request.throttle = function(done, total) {
		return 100;
	}
	//check end of request
	request.close = function(error) {
		print('closed with code ' + error_string(error));
	}
	request.send();
}
