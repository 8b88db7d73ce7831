// Makes the body of each response to GET itself and takes that of each upload, as the second sample of GPAC's document does.
// Run, with a file `av1.mp4` beside it: httpout --js guests/js/bodies.js      Ask: curl -o copy.mp4 http://127.0.0.1:8080/
import { Sys as sys } from 'gpaccore'

httpout.on_request = function (request)
{
	print("Got request " + JSON.stringify(request));
	//handle the request ourselves
	request.reply=200;
	//decide what to to - here we always open the same file
	request.src = new File('av1.mp4', 'rb');

	//our reader callback for GET
	request.read = function(buf) {
		if (request.src.eof) return 0;
		let nb = request.src.read(buf);
		return nb;
	}

	//our write callback for PUT/POST
	request.write = function(buf) {
		print('Got new bytes: ' + (buf ? buf.byteLength : 0));
		return 0;
	}

	//check end of request
	request.close = function(error) {
		print('closed with code ' + error_string(error));
		request.src.close();
	}
	//send the request - this can also be done later on, e.g. in a callback task
	request.send();
}
