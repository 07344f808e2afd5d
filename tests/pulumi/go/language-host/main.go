// Command pulumi-language-nodejs stands in for Pulumi's Node.js language host, in tests only: it starts the program that
// the engine asks for, with the runner that comes with the npm package @pulumi/pulumi.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"
)

const runner = "node_modules/@pulumi/pulumi/cmd/run/index.js"

// The runner ends with it where the program has told its errors itself.
const errorsWereTold = 32

const longestMessage = 400 << 20

type host struct {
	pulumirpc.UnimplementedLanguageRuntimeServer
	engine string
}

func (h *host) Handshake(_ context.Context, request *pulumirpc.LanguageHandshakeRequest) (*pulumirpc.LanguageHandshakeResponse, error) {
	h.engine = request.EngineAddress
	return &pulumirpc.LanguageHandshakeResponse{}, nil
}

func (h *host) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: "0.0.0"}, nil
}

// GetRequiredPackages names none: the engine finds the plugins that the program uses when it uses them.
func (h *host) GetRequiredPackages(context.Context, *pulumirpc.GetRequiredPackagesRequest) (*pulumirpc.GetRequiredPackagesResponse, error) {
	return &pulumirpc.GetRequiredPackagesResponse{}, nil
}

func (h *host) Run(ctx context.Context, request *pulumirpc.RunRequest) (*pulumirpc.RunResponse, error) {
	folder := request.Info.ProgramDirectory
	options := request.Info.Options.GetFields()
	arguments := strings.Fields(options["nodeargs"].GetStringValue())
	arguments = append(arguments, filepath.Join(request.Info.RootDirectory, runner),
		"--monitor="+request.MonitorAddress,
		"--engine="+h.engine,
		"--project="+request.Project,
		"--stack="+request.Stack,
		"--organization="+request.Organization,
		"--root-directory="+request.Info.RootDirectory,
		"--pwd="+folder,
		"--parallel="+strconv.Itoa(int(request.Parallel)),
		"--dry-run="+strconv.FormatBool(request.DryRun))
	arguments = append(append(arguments, request.Info.EntryPoint), request.Args...)
	environment, err := configuration(request)
	if err != nil {
		return nil, err
	}
	typescript, isSet := options["typescript"]
	environment = append(environment, fmt.Sprintf("PULUMI_NODEJS_TYPESCRIPT=%t", !isSet || typescript.GetBoolValue()))
	program := exec.CommandContext(ctx, "node", arguments...)
	program.Dir = folder
	program.Stdout, program.Stderr = os.Stderr, os.Stderr
	program.Env = append(os.Environ(), environment...)
	var exit *exec.ExitError
	if err := program.Run(); errors.As(err, &exit) {
		if exit.ExitCode() == errorsWereTold {
			return &pulumirpc.RunResponse{Bail: true}, nil
		}
		return &pulumirpc.RunResponse{Error: fmt.Sprintf("the program ended with %d", exit.ExitCode())}, nil
	} else if err != nil {
		return nil, err
	}
	return &pulumirpc.RunResponse{}, nil
}

func configuration(request *pulumirpc.RunRequest) ([]string, error) {
	values := request.Config
	if values == nil {
		values = map[string]string{}
	}
	secrets := request.ConfigSecretKeys
	if secrets == nil {
		secrets = []string{}
	}
	config, err := json.Marshal(values)
	if err != nil {
		return nil, err
	}
	keys, err := json.Marshal(secrets)
	if err != nil {
		return nil, err
	}
	return []string{"PULUMI_CONFIG=" + string(config), "PULUMI_CONFIG_SECRET_KEYS=" + string(keys)}, nil
}

func serve() error {
	h := &host{}
	for _, argument := range os.Args[1:] {
		if !strings.HasPrefix(argument, "-") {
			h.engine = argument
		}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := grpc.NewServer(grpc.MaxRecvMsgSize(longestMessage))
	pulumirpc.RegisterLanguageRuntimeServer(server, h)
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	// The engine closes our input where it goes away.
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		server.Stop()
	}()
	return server.Serve(listener)
}

func main() {
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
